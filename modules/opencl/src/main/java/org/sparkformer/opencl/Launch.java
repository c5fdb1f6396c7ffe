package org.sparkformer.opencl;

import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;

/**
 * One launch of a kernel: its arguments in order, then {@link #over}.
 *
 * <p>A tensor takes two arguments of the kernel: {@code __global T* name, long nameFirst}, the
 * whole buffer and the number of the tensor's first element in it. So a view may start at any
 * element, whatever alignment the device wants of sub-buffers.
 */
public final class Launch {
  private final DeviceKernel kernel;
  private final DeviceQueue queue;
  private final BufferPool pool;
  private final long nothing;
  private int next;
  private long first;

  /**
   * @param nothing a buffer to pass where the operation has no tensor
   */
  Launch(DeviceKernel kernel, DeviceQueue queue, BufferPool pool, long nothing) {
    this.kernel = kernel;
    this.queue = queue;
    this.pool = pool;
    this.nothing = nothing;
  }

  /** A buffer and the element offset of the tensor in it; null passes memory not to be touched. */
  public Launch tensor(Tensor tensor) {
    if (tensor != null && tensor.dtype() == DType.BFLOAT16) {
      throw new IllegalArgumentException(
          "argument %d of kernel %s is a BFLOAT16 tensor %s, which it does not take; use FLOAT32"
              .formatted(next, kernel.name(), tensor.shape()));
    }
    return elements(tensor);
  }

  /** As {@link #tensor}, where the kernel was built for the tensor's type. */
  public Launch elements(Tensor tensor) {
    buffer(tensor);
    return number(tensor == null ? 0L : tensor.offset());
  }

  /** A buffer alone; the tensor's offset is passed otherwise, or known to be 0. */
  Launch buffer(Tensor tensor) {
    long buffer = tensor == null ? nothing : queue.use(tensor, pool).buffer();
    return checked(CL10.clSetKernelArg1p(kernel.id(), next, buffer));
  }

  /** An {@code int} argument. */
  public Launch number(int value) {
    return checked(CL10.clSetKernelArg1i(kernel.id(), next, value));
  }

  /** A {@code long} argument. */
  public Launch number(long value) {
    return checked(CL10.clSetKernelArg1l(kernel.id(), next, value));
  }

  /** A {@code float} argument. */
  public Launch number(float value) {
    return checked(CL10.clSetKernelArg1f(kernel.id(), next, value));
  }

  /** A {@code __local} argument of so many bytes. */
  public Launch local(long bytes) {
    return checked(CL10.clSetKernelArg(kernel.id(), next, bytes));
  }

  /** Numbers the work-items of the fastest axis from here on. */
  Launch from(long item) {
    first = item;
    return this;
  }

  private Launch checked(int status) {
    Status.check(status, "set argument " + next + " of kernel " + kernel.name());
    next++;
    return this;
  }

  /**
   * Queues the kernel over work-groups.
   *
   * @param groups number of groups on each axis, the fastest axis first
   * @param group work-items of a group on each axis; must not depend on the device's compute units
   */
  public void over(long[] groups, long[] group) {
    if (!kernel.isNewForm(groups, group, first)) {
      enqueue(groups, group);
      return;
    }
    Compiling.alone(
        () -> {
          enqueue(groups, group);
          queue.finish();
          return kernel;
        });
  }

  private void enqueue(long[] groups, long[] group) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      PointerBuffer global = stack.mallocPointer(groups.length);
      PointerBuffer local = stack.mallocPointer(groups.length);
      for (int axis = 0; axis < groups.length; axis++) {
        if (groups[axis] == 0) {
          return;
        }
        global.put(axis, Math.multiplyExact(groups[axis], group[axis]));
        local.put(axis, group[axis]);
      }
      PointerBuffer event = queue.activity().event(stack);
      int status =
          CL10.clEnqueueNDRangeKernel(
              queue.queue(),
              kernel.id(),
              groups.length,
              first == 0 ? null : stack.callocPointer(groups.length).put(0, first),
              global,
              local,
              null,
              event);
      Status.check(status, "run kernel " + kernel.name());
      queue.activity().launched();
      queue.activity().trace(TracedCommand.Queue.FIRST, kernel.name(), 0, event);
    }
  }

  /** Groups that cover so many things, so many a group. */
  public static long groups(long things, long each) {
    return (things + each - 1) / each;
  }

  /** Queues the kernel over {@code groups} work-groups of {@code group} items on one axis. */
  public void over(long groups, long group) {
    over(new long[] {groups}, new long[] {group});
  }
}
