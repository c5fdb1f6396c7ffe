package org.sparkformer.collective;

/**
 * Which piece of which operation a frame is. A peer sends each key once; a second one is a
 * repetition.
 *
 * @param sequence number of the operation within the attempt
 * @param phase stage of the operation, one of the constants here
 * @param chunk number of the chunk within the phase
 * @param part which of the sender's partial sums, in leaf order
 */
record FrameKey(long sequence, int phase, int chunk, int part) {
  /** Vectors on their way to the rank that adds them. */
  static final int REDUCE = 0;

  /** Bytes that are final: shards, messages, broadcast data. */
  static final int GATHER = 1;

  /** Says that a chunk has been taken, so that its sender may send another. */
  static final int ACKNOWLEDGE = 2;
}
