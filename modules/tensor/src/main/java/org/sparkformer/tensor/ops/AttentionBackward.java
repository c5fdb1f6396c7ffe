package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/**
 * Gradients of {@link AttentionForward} (Dao, arXiv:2307.08691, algorithm 2). Probabilities are
 * computed again from {@code logSumExp}: p = exp(score - logSumExp), delta = sum of dy y over a
 * row, dScore = p (dp - delta).
 *
 * <p>The gradients of queries, keys and values are all fp32 or all bf16.
 *
 * @param forward the operation whose gradients these are
 * @param dy [B Tq, H D], fp32 or bf16
 * @param dQuery laid out as the queries, overwritten within the heads' columns
 * @param dKey laid out as the keys, overwritten for the first Tk positions
 * @param dValue laid out as the values, overwritten for the first Tk positions
 * @param delta [B, H, Tq], fp32, scratch
 */
public record AttentionBackward(
    AttentionForward forward,
    Tensor dy,
    @Output Tensor dQuery,
    @Output Tensor dKey,
    @Output Tensor dValue,
    @Output Tensor delta)
    implements Dropping {

  /** The same of another gradient. */
  public AttentionBackward of(Tensor gradient) {
    return new AttentionBackward(forward, gradient, dQuery, dKey, dValue, delta);
  }

  public AttentionBackward {
    Arguments.sameSize("AttentionBackward", dy, forward.y());
    Arguments.sameSize("AttentionBackward", dQuery, forward.q());
    Arguments.sameSize("AttentionBackward", dKey, forward.k());
    Arguments.sameSize("AttentionBackward", dValue, forward.v());
    Arguments.sameSize("AttentionBackward", delta, forward.logSumExp());
    Arguments.that(
        dQuery.dtype() == dKey.dtype() && dKey.dtype() == dValue.dtype(),
        "AttentionBackward",
        "the gradients of queries, keys and values differ in type");
  }

  @Override
  public long workItems() {
    return (long) heads() * forward.attention().batch();
  }

  @Override
  public Kernel definition() {
    return new Definition();
  }

  // The definition's fields, by name.

  public Tensor q() {
    return forward.q();
  }

  public Tensor k() {
    return forward.k();
  }

  public Tensor v() {
    return forward.v();
  }

  public Tensor y() {
    return forward.y();
  }

  public Tensor logSumExp() {
    return forward.logSumExp();
  }

  public Tensor keyLengths() {
    return forward.keyLengths();
  }

  public int firstQ() {
    return forward.firstQ();
  }

  public int firstK() {
    return forward.firstK();
  }

  public int firstV() {
    return forward.firstV();
  }

  public int strideQ() {
    return forward.strideQ();
  }

  public int strideK() {
    return forward.strideK();
  }

  public int strideV() {
    return forward.strideV();
  }

  public int lengthK() {
    return forward.lengthK();
  }

  public int lengthV() {
    return forward.lengthV();
  }

  public int heads() {
    return forward.heads();
  }

  public int headSize() {
    return forward.headSize();
  }

  public int queries() {
    return forward.queries();
  }

  public int keys() {
    return forward.keys();
  }

  public int firstQuery() {
    return forward.firstQuery();
  }

  public boolean causal() {
    return forward.causal();
  }

  public float scale() {
    return forward.scale();
  }

  @Override
  public Dropout dropout() {
    return forward.dropout();
  }

  /** One work-item a head of a sequence. */
  static final class Definition extends PhiloxKernel {
    float[] q;
    float[] k;
    float[] v;
    float[] y;
    float[] logSumExp;
    int[] keyLengths;
    float[] dy;
    float[] dQuery;
    float[] dKey;
    float[] dValue;
    float[] delta;
    int keyLengthsPresent;
    int firstQ;
    int firstK;
    int firstV;
    int strideQ;
    int strideK;
    int strideV;
    int lengthK;
    int lengthV;
    int heads;
    int headSize;
    int queries;
    int keys;
    int firstQuery;
    int causal;
    float scale;
    long firstElement;
    long threshold;
    float keepScale;
    int seedLow;
    int seedHigh;
    int site;
    int step;

    @Override
    public void run() {
      int item = getGlobalId();
      int h = item % heads;
      int b = item / heads;
      int atK = b * lengthK * strideK + firstK + h * headSize;
      int atV = b * lengthV * strideV + firstV + h * headSize;
      for (int j = 0; j < keys; j++) {
        for (int d = 0; d < headSize; d++) {
          dKey[atK + j * strideK + d] = 0f;
          dValue[atV + j * strideV + d] = 0f;
        }
      }
      for (int i = 0; i < queries; i++) {
        int row = item * queries + i;
        int atQ = (b * queries + i) * strideQ + firstQ + h * headSize;
        int atY = ((b * queries + i) * heads + h) * headSize;
        int end = causal == 1 ? min(keys, firstQuery + i + 1) : keys;
        if (keyLengthsPresent == 1) {
          end = min(end, keyLengths[b]);
        }
        float rowDelta = 0f;
        for (int d = 0; d < headSize; d++) {
          rowDelta += dy[atY + d] * y[atY + d];
          dQuery[atQ + d] = 0f;
        }
        delta[row] = rowDelta;
        for (int j = 0; j < end; j++) {
          float score = 0f;
          float dp = 0f;
          for (int d = 0; d < headSize; d++) {
            score += q[atQ + d] * k[atK + j * strideK + d];
            dp += dy[atY + d] * v[atV + j * strideV + d];
          }
          float p = exp(score * scale - logSumExp[row]);
          float kept = 1f;
          if (threshold > 0L) {
            long e = firstElement + ((long) row) * keys + j;
            kept = word(e, seedLow, seedHigh, site, step) >= threshold ? keepScale : 0f;
          }
          float dScore = p * (dp * kept - rowDelta) * scale;
          for (int d = 0; d < headSize; d++) {
            dQuery[atQ + d] += dScore * k[atK + j * strideK + d];
            dKey[atK + j * strideK + d] += dScore * q[atQ + d];
            dValue[atV + j * strideV + d] += p * kept * dy[atY + d];
          }
        }
      }
    }
  }
}
