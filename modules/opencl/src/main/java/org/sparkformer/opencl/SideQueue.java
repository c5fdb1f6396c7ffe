package org.sparkformer.opencl;

import java.nio.ByteBuffer;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;
import org.sparkformer.tensor.Tensor;

/** Copies to the host that wait for nothing in the first queue; any thread may make them. */
final class SideQueue implements AutoCloseable {
  private final DeviceQueue device;
  private final CopyQueue queue;
  private final BufferPool pool;

  SideQueue(DeviceQueue device, BufferPool pool) {
    this.device = device;
    this.queue = new CopyQueue(device);
    this.pool = pool;
  }

  /** Copies a whole tensor, of which nothing queued elsewhere may write, to a direct buffer. */
  synchronized void read(Tensor source, ByteBuffer destination) {
    Transfers.checkSize(source, destination);
    StartedCopies.requireDirect(destination);
    if (destination.hasRemaining()) {
      readAll(BufferRange.of(source, pool), destination);
    }
  }

  private void readAll(BufferRange from, ByteBuffer destination) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      PointerBuffer event = device.activity().event(stack);
      Status.check(
          CL10.clEnqueueReadBuffer(
              queue.id(), from.buffer(), true, from.first(), destination, null, event),
          "read " + destination.remaining() + " bytes from the device beside its work");
      device.activity().read();
      device
          .activity()
          .trace(TracedCommand.Queue.SIDE, "read beside", destination.remaining(), event);
    }
  }

  @Override
  public synchronized void close() {
    queue.close();
  }
}
