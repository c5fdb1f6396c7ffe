package org.sparkformer.opencl;

import java.nio.ByteBuffer;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.CL12;
import org.lwjgl.system.MemoryStack;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.HostMemory;
import org.sparkformer.tensor.Tensor;

/**
 * Copies that are started and waited for later.
 *
 * <p>A device with memory of its own has engines that copy beside its kernels. There copies to the
 * host and from it have a queue each, and host memory is page-locked. A copy waits for what the
 * first queue was given before it, and of what that queue is given later only what uses the same
 * memory waits for the copy. A processor would gain nothing: it copies in order with its kernels.
 */
final class StartedCopies implements AutoCloseable {
  private final DeviceQueue main;
  private final BufferPool pool;
  private final boolean beside;
  private final CopyQueue reads;
  private final CopyQueue writes;

  StartedCopies(DeviceQueue main, BufferPool pool) {
    this(main, pool, new CopyQueue(main), new CopyQueue(main));
  }

  StartedCopies(DeviceQueue main, BufferPool pool, CopyQueue reads, CopyQueue writes) {
    this.main = main;
    this.pool = pool;
    this.beside = main.device().info().kind() != DeviceInfo.Kind.CPU;
    this.reads = reads;
    this.writes = writes;
  }

  /** See {@link Backend#hostMemory}. */
  HostMemory hostMemory(int bytes) {
    return beside ? PinnedMemory.take(main, bytes, this::finish) : HostMemory.ordinary(bytes);
  }

  /** See {@link Backend#startRead}. */
  Backend.Pending startRead(Tensor source, ByteBuffer destination) {
    return start(source, destination, Direction.TO_HOST, CL10::clEnqueueReadBuffer);
  }

  /** See {@link Backend#startWrite}. */
  Backend.Pending startWrite(Tensor destination, ByteBuffer source) {
    return start(destination, source, Direction.FROM_HOST, CL10::clEnqueueWriteBuffer);
  }

  private enum Direction {
    TO_HOST("read from", "started read", TracedCommand.Queue.READS),
    FROM_HOST("write to", "started write", TracedCommand.Queue.WRITES);

    private final String action;
    private final String name;
    private final TracedCommand.Queue queue;

    Direction(String action, String name, TracedCommand.Queue queue) {
      this.action = action;
      this.name = name;
      this.queue = queue;
    }
  }

  private interface Copy {
    int enqueue(
        long queue,
        long buffer,
        boolean waits,
        long first,
        ByteBuffer bytes,
        PointerBuffer before,
        PointerBuffer event);
  }

  private Backend.Pending start(Tensor tensor, ByteBuffer bytes, Direction direction, Copy copy) {
    Transfers.checkSize(tensor, bytes);
    requireDirect(bytes);
    if (!bytes.hasRemaining()) {
      return Backend.Pending.DONE;
    }
    String what = direction.action + " the device (" + bytes.remaining() + " bytes)";
    BufferRange range = main.use(tensor, pool);
    long event =
        beside
            ? beside(queue(direction).id(), range, bytes, copy, what)
            : inOrder(range, bytes, copy, what);
    main.activity().started();
    TracedCommand.Queue queue = beside ? direction.queue : TracedCommand.Queue.FIRST;
    main.activity().traceShared(queue, direction.name, bytes.remaining(), event);
    return new PendingCopy(event, main.activity(), what);
  }

  private CopyQueue queue(Direction direction) {
    return direction == Direction.TO_HOST ? reads : writes;
  }

  private long inOrder(BufferRange range, ByteBuffer bytes, Copy copy, String what) {
    return enqueue(main.queue(), range, bytes, null, copy, what);
  }

  private long beside(long queue, BufferRange range, ByteBuffer bytes, Copy copy, String what) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      PointerBuffer given = stack.mallocPointer(1);
      Status.check(CL12.clEnqueueMarkerWithWaitList(main.queue(), null, given), what);
      try {
        // Another queue waits for it, which does not send this one off.
        Status.check(CL10.clFlush(main.queue()), what);
        long event = enqueue(queue, range, bytes, given, copy, what);
        main.copies().add(range, event);
        return event;
      } finally {
        CL10.clReleaseEvent(given.get(0));
      }
    }
  }

  private static long enqueue(
      long queue,
      BufferRange range,
      ByteBuffer bytes,
      PointerBuffer before,
      Copy copy,
      String what) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      PointerBuffer event = stack.mallocPointer(1);
      Status.check(
          copy.enqueue(queue, range.buffer(), false, range.first(), bytes, before, event), what);
      // Another thread may wait for the event, which does not send the queue off.
      Status.check(CL10.clFlush(queue), what);
      return event.get(0);
    }
  }

  static void requireDirect(ByteBuffer bytes) {
    if (!bytes.isDirect()) {
      throw new IllegalArgumentException("such a copy needs a direct buffer, got " + bytes);
    }
  }

  /** Waits for the copies that are made beside the first queue. */
  void finish() {
    reads.finish();
    writes.finish();
    main.copies().clear();
  }

  @Override
  public void close() {
    reads.close();
    writes.close();
  }
}
