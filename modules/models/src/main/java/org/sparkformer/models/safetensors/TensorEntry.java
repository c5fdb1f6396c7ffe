package org.sparkformer.models.safetensors;

import org.sparkformer.tensor.Shape;

/**
 * One tensor of a file.
 *
 * @param shape row-major
 * @param begin first byte, counted from the end of the header
 */
public record TensorEntry(String name, ElementType type, Shape shape, long begin) {

  /** Size in bytes. */
  public long bytes() {
    return Math.multiplyExact(shape.size(), type.bytes());
  }

  /** The byte after the last, counted from the end of the header. */
  public long end() {
    return Math.addExact(begin, bytes());
  }
}
