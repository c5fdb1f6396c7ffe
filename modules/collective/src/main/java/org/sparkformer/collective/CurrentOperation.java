package org.sparkformer.collective;

/**
 * Where a rank stands among its operations.
 *
 * @param kind of the newest operation
 * @param sequence its number within the attempt, -1 before the first
 */
record CurrentOperation(int rank, int size, Operation kind, long sequence) {
  static CurrentOperation none(int rank, int size) {
    return new CurrentOperation(rank, size, Operation.BARRIER, -1);
  }

  CurrentOperation next(Operation following) {
    return new CurrentOperation(rank, size, following, sequence + 1);
  }

  /** Whether a frame is of the same number and another kind: its sender has gone astray. */
  boolean contradicts(FrameHeader header) {
    return header.key().sequence() == sequence && header.operation() != kind;
  }

  /** Of a peer that is in another operation of this number. */
  String outOfStep(int peer, Operation other) {
    return "rank %d is in %s %d while rank %d is in %s %d: every rank must call the same operations in the same order"
        .formatted(peer, other, sequence, rank, kind, sequence);
  }

  @Override
  public String toString() {
    return "rank %d of %d, %s %d".formatted(rank, size, kind, sequence);
  }
}
