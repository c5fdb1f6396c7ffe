package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/**
 * Scaled dot-product attention (Vaswani et al., arXiv:1706.03762, equation 1) by online softmax
 * (Dao, arXiv:2307.08691, algorithm 1): memory linear in the sequence length.
 *
 * <p>Queries, keys and values are all fp32 or all bf16.
 *
 * @param query Tq positions in {@code attention.queries()}; its length is Tq
 * @param key its length is at least Tk
 * @param value its length is at least Tk
 * @param y [B Tq, H D], fp32 or bf16
 * @param logSumExp [B, H, Tq]: logarithm of the softmax denominator, for the backward pass
 */
public record AttentionForward(
    Attention attention,
    Projection query,
    Projection key,
    Projection value,
    @Output Tensor y,
    @Output Tensor logSumExp)
    implements Dropping {

  public AttentionForward {
    long rows = (long) attention.batch() * attention.queries();
    Arguments.that(
        query.tensor().dtype() == key.tensor().dtype()
            && key.tensor().dtype() == value.tensor().dtype(),
        "AttentionForward",
        "queries, keys and values differ in type");
    Arguments.size("AttentionForward", "y", y, rows * attention.columns());
    Arguments.size("AttentionForward", "logSumExp", logSumExp, rows * attention.heads());
  }

  @Override
  public long workItems() {
    return logSumExp.size();
  }

  @Override
  public Kernel definition() {
    return new Definition();
  }

  // The definition's fields, by name.

  public Tensor q() {
    return query.tensor();
  }

  public Tensor k() {
    return key.tensor();
  }

  public Tensor v() {
    return value.tensor();
  }

  public Tensor keyLengths() {
    return attention.keyLengths();
  }

  public int firstQ() {
    return query.first();
  }

  public int firstK() {
    return key.first();
  }

  public int firstV() {
    return value.first();
  }

  public int strideQ() {
    return query.stride();
  }

  public int strideK() {
    return key.stride();
  }

  public int strideV() {
    return value.stride();
  }

  public int lengthK() {
    return key.length();
  }

  public int lengthV() {
    return value.length();
  }

  public int heads() {
    return attention.heads();
  }

  public int headSize() {
    return attention.headSize();
  }

  public int queries() {
    return attention.queries();
  }

  public int keys() {
    return attention.keys();
  }

  public int firstQuery() {
    return attention.firstQuery();
  }

  public boolean causal() {
    return attention.causal();
  }

  public float scale() {
    return attention.scale();
  }

  @Override
  public Dropout dropout() {
    return attention.dropout();
  }

  /** One work-item a query and head. */
  static final class Definition extends PhiloxKernel {
    float[] q;
    float[] k;
    float[] v;
    int[] keyLengths;
    float[] y;
    float[] logSumExp;
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
      int i = item % queries;
      int h = (item / queries) % heads;
      int b = item / (queries * heads);
      int end = causal == 1 ? min(keys, firstQuery + i + 1) : keys;
      if (keyLengthsPresent == 1) {
        end = min(end, keyLengths[b]);
      }
      int atQ = (b * queries + i) * strideQ + firstQ + h * headSize;
      int atK = b * lengthK * strideK + firstK + h * headSize;
      int atV = b * lengthV * strideV + firstV + h * headSize;
      int atY = ((b * queries + i) * heads + h) * headSize;
      float largest = -3.0e38f;
      for (int j = 0; j < end; j++) {
        float score = 0f;
        for (int d = 0; d < headSize; d++) {
          score += q[atQ + d] * k[atK + j * strideK + d];
        }
        largest = max(largest, score * scale);
      }
      for (int d = 0; d < headSize; d++) {
        y[atY + d] = 0f;
      }
      float total = 0f;
      for (int j = 0; j < end; j++) {
        float score = 0f;
        for (int d = 0; d < headSize; d++) {
          score += q[atQ + d] * k[atK + j * strideK + d];
        }
        float p = exp(score * scale - largest);
        total += p;
        if (threshold > 0L) {
          long e = firstElement + ((long) item) * keys + j;
          p = word(e, seedLow, seedHigh, site, step) >= threshold ? p * keepScale : 0f;
        }
        for (int d = 0; d < headSize; d++) {
          y[atY + d] += p * v[atV + j * strideV + d];
        }
      }
      for (int d = 0; d < headSize; d++) {
        y[atY + d] = y[atY + d] / total;
      }
      logSumExp[item] = largest + log(total);
    }
  }
}
