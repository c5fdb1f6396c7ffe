package org.sparkformer.tensor;

/**
 * A dense row-major view of a backend's memory.
 *
 * @param storage the memory; a tensor from {@link Backend#allocate} owns one reference to it
 * @param dtype element type
 * @param offset first element, counted in elements from the start of the storage
 * @param shape extents
 */
public record Tensor(Storage storage, DType dtype, long offset, Shape shape)
    implements AutoCloseable {

  public Tensor {
    if (offset < 0 || offset > storage.bytes() / dtype.bytes() - shape.size()) {
      throw new IllegalArgumentException(
          "tensor "
              + shape
              + " at element "
              + offset
              + " does not fit "
              + storage.bytes()
              + " bytes");
    }
  }

  /** Number of elements. */
  public long size() {
    return shape.size();
  }

  /** Size in bytes. */
  public long bytes() {
    return size() * dtype.bytes();
  }

  /** Product of all extents but the innermost. */
  public int rows() {
    return Math.toIntExact(shape.rows());
  }

  /** The innermost extent. */
  public int columns() {
    return Math.toIntExact(shape.extent(-1));
  }

  /** The same elements in another shape; borrows the storage. */
  public Tensor reshape(long... extents) {
    Shape other = Shape.of(extents);
    if (other.size() != size()) {
      throw new IllegalArgumentException("cannot reshape " + shape + " to " + other);
    }
    return new Tensor(storage, dtype, offset, other);
  }

  /** Part of the elements, from {@code first} on, in a shape of their own; borrows the storage. */
  public Tensor view(long first, long... extents) {
    Shape other = Shape.of(extents);
    if (first < 0 || first > size() - other.size()) {
      throw new IllegalArgumentException(
          "view " + other + " at element " + first + " leaves " + shape);
    }
    return new Tensor(storage, dtype, offset + first, other);
  }

  /** Rows {@code first} to {@code first + count} of a matrix; borrows the storage. */
  public Tensor rows(long first, long count) {
    return view(first * columns(), count, columns());
  }

  /** This tensor with one more reference to its storage, to be closed by the caller. */
  public Tensor share() {
    storage.retain();
    return this;
  }

  /** Gives up one reference to the storage. */
  @Override
  public void close() {
    storage.close();
  }
}
