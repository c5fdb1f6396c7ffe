package org.sparkformer.tensor;

import java.util.Arrays;

/** Extents of a row-major tensor, outermost first. */
public final class Shape {
  private final long[] extents;

  private Shape(long[] extents) {
    this.extents = extents;
  }

  /**
   * @throws IllegalArgumentException if an extent is negative or the size overflows a long
   */
  public static Shape of(long... extents) {
    long size = 1;
    for (long extent : extents) {
      if (extent < 0) {
        throw new IllegalArgumentException("negative extent in shape " + Arrays.toString(extents));
      }
      size = Math.multiplyExact(size, extent);
    }
    return new Shape(extents.clone());
  }

  /** Number of axes. */
  public int rank() {
    return extents.length;
  }

  /** Extent of an axis; negative axes count from the last: -1 is the innermost. */
  public long extent(int axis) {
    return extents[axis < 0 ? extents.length + axis : axis];
  }

  /** Number of elements. */
  public long size() {
    long size = 1;
    for (long extent : extents) {
      size *= extent;
    }
    return size;
  }

  /** Product of all extents but the innermost: how many rows the tensor has. */
  public long rows() {
    long rows = 1;
    for (int axis = 0; axis < extents.length - 1; axis++) {
      rows *= extents[axis];
    }
    return rows;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Shape shape && Arrays.equals(extents, shape.extents);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(extents);
  }

  @Override
  public String toString() {
    return Arrays.toString(extents);
  }
}
