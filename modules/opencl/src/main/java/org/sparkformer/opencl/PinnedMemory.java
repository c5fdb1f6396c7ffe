package org.sparkformer.opencl;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;
import org.sparkformer.tensor.HostMemory;

/**
 * Host memory that the driver keeps from being paged out, so that a device moves it by itself: a
 * buffer of CL_MEM_ALLOC_HOST_PTR that stays mapped for as long as it lives (NVIDIA OpenCL Best
 * Practices Guide, section 3.1.1). From other memory a driver copies by the host, and may keep the
 * caller waiting meanwhile.
 */
final class PinnedMemory {
  private PinnedMemory() {}

  /**
   * @param copies waits for what may still use it when it is given back
   */
  static HostMemory take(DeviceQueue queue, int bytes, Runnable copies) {
    String action = "lock " + bytes + " bytes of host memory for " + queue.device().info().name();
    int size = Math.max(1, bytes);
    try (MemoryStack stack = MemoryStack.stackPush()) {
      IntBuffer status = stack.mallocInt(1);
      long flags = CL10.CL_MEM_READ_WRITE | CL10.CL_MEM_ALLOC_HOST_PTR;
      long buffer = CL10.clCreateBuffer(queue.context(), flags, size, status);
      Status.check(status, action);
      ByteBuffer mapped = map(queue, buffer, size, action);
      queue.activity().bufferCreated();
      return new HostMemory(
          mapped.limit(bytes).slice().order(ByteOrder.nativeOrder()),
          () -> {
            copies.run();
            release(queue, buffer, mapped.clear());
          });
    }
  }

  private static ByteBuffer map(DeviceQueue queue, long buffer, int size, String action) {
    int[] status = new int[1];
    long access = CL10.CL_MAP_READ | CL10.CL_MAP_WRITE;
    queue.activity().waited();
    ByteBuffer mapped =
        CL10.clEnqueueMapBuffer(
            queue.queue(), buffer, true, access, 0, size, null, null, status, null);
    if (status[0] != CL10.CL_SUCCESS) {
      CL10.clReleaseMemObject(buffer);
    }
    Status.check(status[0], action);
    return mapped;
  }

  private static void release(DeviceQueue queue, long buffer, ByteBuffer mapped) {
    int status = CL10.clEnqueueUnmapMemObject(queue.queue(), buffer, mapped, null, null);
    CL10.clReleaseMemObject(buffer);
    Status.check(status, "give back locked host memory");
  }
}
