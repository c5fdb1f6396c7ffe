package org.sparkformer.opencl;

import org.sparkformer.tensor.Storage;
import org.sparkformer.tensor.Tensor;

/** A device buffer lent by the pool. */
final class OpenClStorage extends Storage {
  private final BufferPool pool;
  private final long buffer;
  private final long size;

  /**
   * @param bytes what was asked for
   * @param size what the buffer has
   */
  OpenClStorage(BufferPool pool, long buffer, long bytes, long size) {
    super(bytes);
    this.pool = pool;
    this.buffer = buffer;
    this.size = size;
  }

  /** The buffer under a tensor. */
  static long buffer(Tensor tensor, BufferPool pool) {
    if (tensor.storage() instanceof OpenClStorage storage && storage.pool == pool) {
      return storage.buffer;
    }
    throw new IllegalArgumentException("tensor " + tensor.shape() + " is of another backend");
  }

  @Override
  protected void release() {
    pool.giveBack(buffer, size);
  }
}
