package org.sparkformer.opencl;

import org.sparkformer.tensor.Tensor;

/**
 * The bytes of a tensor in the buffer under it.
 *
 * @param first number of the tensor's first byte
 */
record BufferRange(long buffer, long first, long bytes) {
  static BufferRange of(Tensor tensor, BufferPool pool) {
    return new BufferRange(
        OpenClStorage.buffer(tensor, pool),
        tensor.offset() * tensor.dtype().bytes(),
        tensor.bytes());
  }

  boolean overlaps(BufferRange other) {
    return buffer == other.buffer
        && first < other.first + other.bytes
        && other.first < first + bytes;
  }
}
