package org.sparkformer.collective;

import java.nio.FloatBuffer;
import java.util.List;

/**
 * What a rank has to add in a reduction.
 *
 * @param partials this rank's partial sums, from index 0 to their limits; where it has none, a
 *     vector that is not read
 * @param precision in which they cross
 */
record Terms(Addends addends, List<FloatBuffer> partials, WirePrecision precision) {

  /**
   * @param partials of which each remains what it is
   * @throws IllegalArgumentException unless they are as many as the rank holds, and as long as each
   *     other
   */
  static Terms of(Addends addends, int rank, List<FloatBuffer> partials, WirePrecision precision) {
    List<LeafRange> nodes = addends.byRank().get(rank);
    if (partials.size() != Math.max(1, nodes.size())) {
      throw new IllegalArgumentException(
          "rank %d of %d holds the partial sums %s, got %d"
              .formatted(rank, addends.byRank().size(), nodes, partials.size()));
    }
    int length = partials.get(0).remaining();
    partials.forEach(partial -> requireLength("a partial sum", partial, length));
    return new Terms(addends, partials.stream().map(FloatBuffer::slice).toList(), precision);
  }

  /** Elements of a partial sum. */
  int length() {
    return partials.get(0).limit();
  }

  /**
   * @param what it is, for the message
   * @throws IllegalArgumentException unless so many elements remain
   */
  static void requireLength(String what, FloatBuffer buffer, int length) {
    if (buffer.remaining() != length) {
      throw new IllegalArgumentException(
          what + " must hold " + length + " floats, got " + buffer.remaining());
    }
  }
}
