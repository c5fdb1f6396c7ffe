package org.sparkformer.opencl.kernels;

import org.sparkformer.tensor.ops.MatMul;

/**
 * Which operands of a product are packed by a launch of their own before it; of the others every
 * block packs its part in local memory. No bit of the result depends on it.
 */
record ReadyOperands(boolean a, boolean b) {
  /**
   * Blocks that use an operand's part before it pays to pack the whole operand first, which writes
   * it to memory and reads it from there.
   */
  private static final int LEAST_USES = 5;

  /** The same of right operands for AMX, which multiplies as fast as they are packed. */
  private static final int LEAST_USES_BY_TILES = 2;

  /** Of packed operands, which take memory of their own: 32 MiB. */
  private static final long MOST_WORDS = 1 << 23;

  /** Multiply-adds of a product below which another launch costs more than it saves. */
  private static final long LEAST_WORK = 1 << 26;

  /** What many blocks use. */
  static ReadyOperands of(MatMul product, MatMulBlocks blocks) {
    boolean pays =
        product.batch() == 1 && (long) product.m() * product.n() * product.k() >= LEAST_WORK;
    boolean canA = pays && blocks.wordsOfReadyA(product) <= MOST_WORDS;
    boolean canB = pays && blocks.wordsOfReadyB(product) <= MOST_WORDS;
    boolean tiles = blocks.arithmetic() == HostArithmetic.TILES;
    return new ReadyOperands(
        canA && blocks.usesOfA(product) >= LEAST_USES,
        canB && blocks.usesOfB(product) >= (tiles ? LEAST_USES_BY_TILES : LEAST_USES));
  }

  /** Bytes of local memory for a block's copies. */
  long bytesOfCopies(MatMulBlocks blocks) {
    return (a ? 0 : blocks.bytesOfA()) + (b ? 0 : blocks.bytesOfB());
  }
}
