package org.sparkformer.models;

import org.sparkformer.tensor.DType;

/** What a block of GPT and one of BERT need alike: the same matrices, in another order. */
final class BlockSize {
  /** Rows of width C that pass backward: of the stream, its branch and the feed-forward layer. */
  private static final int BACKWARD = 7;

  /** Rows of width C that a block keeps: 6 for attention and 6 from there to its end. */
  private static final int BLOCK = 12;

  private BlockSize() {}

  /**
   * Trainable parameters of all blocks, 12·C² + 13·C each: attention 4·C² + 4·C, feed-forward 8·C²
   * + 5·C, two layer norms 4·C.
   */
  static long parameters(ModelConfiguration model) {
    long c = model.width();
    return model.layers() * (12 * c * c + 13 * c);
  }

  /**
   * Rows of width C that an architecture keeps.
   *
   * @param operands of a block, in the type of the products' operands; the others are fp32
   * @param between from block to block
   * @param embedded of the embeddings
   */
  record Rows(int operands, int between, int embedded) {}

  /** See {@link ModelConfiguration#activationBytesOfToken}. */
  static long activationBytesOfToken(ModelConfiguration model, Rows rows, DType operands) {
    long block =
        (BLOCK - rows.operands()) * (long) Float.BYTES + rows.operands() * (long) operands.bytes();
    long blocks =
        model.recomputeActivations()
            ? (long) rows.between() * model.layers() * Float.BYTES + block
            : block * model.layers();
    return model.width() * (blocks + (rows.embedded() + BACKWARD) * (long) Float.BYTES);
  }
}
