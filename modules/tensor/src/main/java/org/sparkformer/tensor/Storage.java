package org.sparkformer.tensor;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Memory of a backend, counted by reference: it is given back when the last owner closes it.
 *
 * <p>Giving back while kernels that use it are still queued is allowed: a backend runs its work in
 * order, so whoever gets the memory next comes after them.
 */
public abstract class Storage implements AutoCloseable {
  private final long bytes;
  private final AtomicInteger owners = new AtomicInteger(1);

  protected Storage(long bytes) {
    this.bytes = bytes;
  }

  /** Size in bytes. */
  public final long bytes() {
    return bytes;
  }

  /** Adds an owner. */
  public final void retain() {
    if (owners.getAndIncrement() <= 0) {
      throw new IllegalStateException("storage of " + bytes + " bytes was already given back");
    }
  }

  @Override
  public final void close() {
    int left = owners.decrementAndGet();
    if (left < 0) {
      throw new IllegalStateException("storage of " + bytes + " bytes was given back twice");
    }
    if (left == 0) {
      release();
    }
  }

  /** Gives the memory back; called once. */
  protected abstract void release();
}
