package org.sparkformer.tensor.ops;

import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;

/**
 * What the forward and backward pass of attention share.
 *
 * <p>Query i of a sequence sits at position {@code firstQuery + i}. With {@code causal} it sees the
 * keys at positions up to its own, else all; never those at or beyond {@code keyLengths[b]}. Scores
 * are scaled by 1 / sqrt(headSize).
 *
 * @param batch B, sequences
 * @param heads H
 * @param headSize D
 * @param queries Tq, queries of a sequence
 * @param keys Tk, keys of a sequence
 * @param firstQuery position of the first query; not 0 when a key/value cache holds the ones before
 * @param keyLengths null or int32 [B]: keys of each sequence that are not padding, at least 1
 * @param dropout drops attention probabilities; the element number of (sequence b, head h, query i,
 *     key j) is firstElement + ((b H + h) Tq + i) Tk + j
 * @param operands what the products, forward and backward, may round their operands to: FLOAT32 for
 *     not at all, or BFLOAT16, which devices may leave unused. Sums and softmax stay fp32
 */
public record Attention(
    int batch,
    int heads,
    int headSize,
    int queries,
    int keys,
    int firstQuery,
    boolean causal,
    Tensor keyLengths,
    Dropout dropout,
    DType operands) {

  public Attention {
    Arguments.that(
        batch > 0 && heads > 0 && headSize > 0 && queries > 0 && keys > 0,
        "Attention",
        "extents must be positive");
    Arguments.that(
        !causal || firstQuery + queries <= keys,
        "Attention",
        "query " + (firstQuery + queries - 1) + " lies beyond " + keys + " keys");
    Arguments.size("Attention", "keyLengths", keyLengths, batch);
    Arguments.that(
        operands == DType.FLOAT32 || operands == DType.BFLOAT16,
        "Attention",
        "operands cannot be " + operands);
  }

  /** With operands that are not rounded. */
  public Attention(
      int batch,
      int heads,
      int headSize,
      int queries,
      int keys,
      int firstQuery,
      boolean causal,
      Tensor keyLengths,
      Dropout dropout) {
    this(
        batch,
        heads,
        headSize,
        queries,
        keys,
        firstQuery,
        causal,
        keyLengths,
        dropout,
        DType.FLOAT32);
  }

  /** The same with products that may round their operands to another type. */
  public Attention with(DType type) {
    return new Attention(
        batch, heads, headSize, queries, keys, firstQuery, causal, keyLengths, dropout, type);
  }

  /** Causal self-attention over whole sequences, as in training a GPT. */
  public static Attention causal(int batch, int length, int heads, int headSize, Dropout dropout) {
    return new Attention(batch, heads, headSize, length, length, 0, true, null, dropout);
  }

  /** C = H D, columns of the output. */
  public int columns() {
    return heads * headSize;
  }

  /** 1 / sqrt(D). */
  public float scale() {
    return (float) (1 / Math.sqrt(headSize));
  }
}
