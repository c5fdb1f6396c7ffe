package org.sparkformer.collective;

/** How ranks exchange a vector; the bits of the result are the same by any. */
public enum Algorithm {
  /** Of an all-reduce: everyone sends everyone all of its terms, and adds up all of the vector. */
  ONE_SHOT,
  /** Everyone sends each peer the peer's part of its terms, and its own part of the sum to all. */
  DIRECT,
  /** Sums are made as in direct exchange, and go from neighbour to neighbour round a ring. */
  RING
}
