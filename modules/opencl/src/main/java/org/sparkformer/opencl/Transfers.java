package org.sparkformer.opencl;

import static org.sparkformer.opencl.TracedCommand.Queue.FIRST;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;
import org.sparkformer.tensor.Tensor;

/** Copies between host and device, in order with the kernels. */
final class Transfers {
  /** Writes up to this many bytes are staged, so that the caller need not wait for the queue. */
  private static final int LARGEST_STAGED = 16 << 20;

  private final DeviceQueue queue;
  private final BufferPool pool;
  private final Deque<Staged> staged = new ArrayDeque<>();

  Transfers(DeviceQueue queue, BufferPool pool) {
    this.queue = queue;
    this.pool = pool;
  }

  private record Staged(ByteBuffer bytes, long event) {}

  void write(Tensor destination, ByteBuffer source) {
    checkSize(destination, source);
    if (!source.hasRemaining()) {
      return;
    }
    if (source.remaining() <= LARGEST_STAGED) {
      stage(destination, source);
    } else if (source.isDirect()) {
      writeNow(destination, 0, source);
    } else {
      writeInPieces(destination, source);
    }
  }

  private void stage(Tensor destination, ByteBuffer source) {
    freeStaged();
    ByteBuffer copy = MemoryUtil.memAlloc(source.remaining());
    copy.put(source.duplicate()).flip();
    try (MemoryStack stack = MemoryStack.stackPush()) {
      PointerBuffer event = stack.mallocPointer(1);
      enqueueWrite(destination, 0, copy, false, event);
      staged.add(new Staged(copy, event.get(0)));
      queue.activity().traceShared(FIRST, "write", copy.remaining(), event.get(0));
    }
  }

  private void writeNow(Tensor destination, long skip, ByteBuffer source) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      PointerBuffer event = queue.activity().event(stack);
      enqueueWrite(destination, skip, source, true, event);
      queue.activity().waited();
      queue.activity().trace(FIRST, "write", source.remaining(), event);
    }
  }

  private void enqueueWrite(
      Tensor destination, long skip, ByteBuffer source, boolean waits, PointerBuffer event) {
    BufferRange range = queue.use(destination, pool);
    int status =
        CL10.clEnqueueWriteBuffer(
            queue.queue(), range.buffer(), waits, range.first() + skip, source, null, event);
    Status.check(status, "write " + source.remaining() + " bytes to the device");
    queue.activity().written();
  }

  private void writeInPieces(Tensor destination, ByteBuffer source) {
    ByteBuffer piece = MemoryUtil.memAlloc(LARGEST_STAGED);
    try {
      for (int at = 0; at < source.remaining(); at += LARGEST_STAGED) {
        int bytes = Math.min(LARGEST_STAGED, source.remaining() - at);
        piece.clear().put(source.slice(source.position() + at, bytes)).flip();
        writeNow(destination, at, piece);
      }
    } finally {
      MemoryUtil.memFree(piece);
    }
  }

  void read(Tensor source, ByteBuffer destination) {
    checkSize(source, destination);
    if (!destination.hasRemaining()) {
      return;
    }
    if (destination.isDirect()) {
      read(source, 0, destination);
    } else {
      readInPieces(source, destination);
    }
  }

  private void read(Tensor source, long skip, ByteBuffer destination) {
    BufferRange range = queue.use(source, pool);
    try (MemoryStack stack = MemoryStack.stackPush()) {
      PointerBuffer event = queue.activity().event(stack);
      int status =
          CL10.clEnqueueReadBuffer(
              queue.queue(), range.buffer(), true, range.first() + skip, destination, null, event);
      Status.check(status, "read " + destination.remaining() + " bytes from the device");
      queue.activity().read();
      queue.activity().trace(FIRST, "read", destination.remaining(), event);
    }
  }

  private void readInPieces(Tensor source, ByteBuffer destination) {
    ByteBuffer piece = MemoryUtil.memAlloc(LARGEST_STAGED);
    try {
      for (int at = 0; at < destination.remaining(); at += LARGEST_STAGED) {
        piece.clear().limit(Math.min(LARGEST_STAGED, destination.remaining() - at));
        read(source, at, piece);
        destination.slice(destination.position() + at, piece.remaining()).put(piece);
      }
    } finally {
      MemoryUtil.memFree(piece);
    }
  }

  static void checkSize(Tensor tensor, ByteBuffer buffer) {
    if (tensor.bytes() != buffer.remaining()) {
      throw new IllegalArgumentException(
          "tensor %s has %d bytes, buffer %d"
              .formatted(tensor.shape(), tensor.bytes(), buffer.remaining()));
    }
  }

  /** Frees the copies that the device has taken, the oldest first. */
  private void freeStaged() {
    while (!staged.isEmpty() && isDone(staged.peek().event())) {
      free(staged.remove());
    }
  }

  private static boolean isDone(long event) {
    int state = EventState.of(event);
    Status.check(Math.min(state, CL10.CL_SUCCESS), "write to the device");
    return state == CL10.CL_COMPLETE;
  }

  private static void free(Staged copy) {
    CL10.clReleaseEvent(copy.event());
    MemoryUtil.memFree(copy.bytes());
  }

  /**
   * Frees all copies, once the queue is done with them.
   *
   * @throws OpenClException if one of the writes failed
   */
  void settle() {
    int failed = CL10.CL_SUCCESS;
    while (!staged.isEmpty()) {
      Staged copy = staged.remove();
      failed = Math.min(failed, EventState.of(copy.event()));
      free(copy);
    }
    Status.check(Math.min(failed, CL10.CL_SUCCESS), "write to the device");
  }
}
