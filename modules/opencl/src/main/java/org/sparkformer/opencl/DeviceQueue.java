package org.sparkformer.opencl;

import java.nio.IntBuffer;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.CL12;
import org.lwjgl.system.MemoryStack;
import org.sparkformer.tensor.Tensor;

/**
 * A device, or a part of it, with its context and its one in-order queue.
 *
 * @param shared says how the device is divided or shared; empty where it is used whole
 * @param activity what is asked of the queue
 * @param copies under way beside the queue
 */
record DeviceQueue(
    OpenClDevice device,
    long id,
    long context,
    long queue,
    String shared,
    Activity activity,
    OpenCopies copies)
    implements AutoCloseable {

  static DeviceQueue open(OpenClDevice device, int part, int parts) {
    boolean divide = parts > 1 && canDivide(device, parts);
    long id = divide ? subDevice(device, part, parts) : device.id();
    try (MemoryStack stack = MemoryStack.stackPush()) {
      IntBuffer status = stack.mallocInt(1);
      PointerBuffer properties = stack.pointers(CL10.CL_CONTEXT_PLATFORM, device.platform(), 0);
      long context = CL10.clCreateContext(properties, id, null, 0, status);
      Status.check(status, "create a context on " + device.info());
      long queue = CL10.clCreateCommandQueue(context, id, CL10.CL_QUEUE_PROFILING_ENABLE, status);
      Status.check(status, "create a queue on " + device.info());
      return new DeviceQueue(
          device,
          id,
          context,
          queue,
          sharing(divide, part, parts, id),
          new Activity(),
          new OpenCopies());
    }
  }

  private static String sharing(boolean divided, int part, int parts, long id) {
    if (parts == 1) {
      return "";
    }
    return divided
        ? "part %d of %d, %d compute units"
            .formatted(part + 1, parts, DeviceQuery.number(id, CL10.CL_DEVICE_MAX_COMPUTE_UNITS))
        : "whole device shared by " + parts + " ranks, it cannot be divided so";
  }

  private static boolean canDivide(OpenClDevice device, int parts) {
    return device.info().kind() == DeviceInfo.Kind.CPU
        && parts <= device.info().computeUnits()
        && DeviceQuery.number(device.id(), CL12.CL_DEVICE_PARTITION_MAX_SUB_DEVICES) >= parts;
  }

  private static long subDevice(OpenClDevice device, int part, int parts) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      int units = device.info().computeUnits() / parts;
      PointerBuffer properties = stack.pointers(CL12.CL_DEVICE_PARTITION_EQUALLY, units, 0);
      IntBuffer count = stack.mallocInt(1);
      String action = "divide " + device.info() + " into " + parts + " parts";
      Status.check(CL12.clCreateSubDevices(device.id(), properties, null, count), action);
      PointerBuffer all = stack.mallocPointer(count.get(0));
      Status.check(CL12.clCreateSubDevices(device.id(), properties, all, (IntBuffer) null), action);
      for (int other = 0; other < all.capacity(); other++) {
        if (other != part) {
          CL12.clReleaseDevice(all.get(other));
        }
      }
      return all.get(part);
    }
  }

  /** Where a tensor lies, for what is queued next, which comes after copies of that memory. */
  BufferRange use(Tensor tensor, BufferPool pool) {
    BufferRange range = BufferRange.of(tensor, pool);
    copies.holdBack(queue, range);
    return range;
  }

  void finish() {
    activity.waited();
    Status.check(CL10.clFinish(queue), "finish the work queued on " + device.info().name());
  }

  @Override
  public void close() {
    CL10.clReleaseCommandQueue(queue);
    CL10.clReleaseContext(context);
    if (id != device.id()) {
      CL12.clReleaseDevice(id);
    }
  }
}
