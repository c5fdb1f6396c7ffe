package org.sparkformer.opencl;

import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;
import org.sparkformer.tensor.Tensor;

/**
 * A second queue of a device, for copies to the host that wait for nothing in the first one. Made
 * when it is first used; any thread may use it.
 */
final class SideQueue implements AutoCloseable {
  private final DeviceQueue device;
  private final BufferPool pool;
  private long queue = MemoryUtil.NULL;

  SideQueue(DeviceQueue device, BufferPool pool) {
    this.device = device;
    this.pool = pool;
  }

  /** Copies a whole tensor, of which nothing queued elsewhere may write, to a direct buffer. */
  synchronized void read(Tensor source, ByteBuffer destination) {
    Transfers.checkSize(source, destination);
    Transfers.requireDirect(destination);
    if (destination.hasRemaining()) {
      long first = source.offset() * source.dtype().bytes();
      long buffer = OpenClStorage.buffer(source, pool);
      Status.check(
          CL10.clEnqueueReadBuffer(queue(), buffer, true, first, destination, null, null),
          "read " + destination.remaining() + " bytes from the device beside its work");
    }
  }

  private long queue() {
    if (queue == MemoryUtil.NULL) {
      try (MemoryStack stack = MemoryStack.stackPush()) {
        IntBuffer status = stack.mallocInt(1);
        queue = CL10.clCreateCommandQueue(device.context(), device.id(), 0, status);
        Status.check(status, "create a second queue on " + device.device().info());
      }
    }
    return queue;
  }

  @Override
  public synchronized void close() {
    if (queue != MemoryUtil.NULL) {
      CL10.clReleaseCommandQueue(queue);
      queue = MemoryUtil.NULL;
    }
  }
}
