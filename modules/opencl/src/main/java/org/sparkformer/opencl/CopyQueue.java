package org.sparkformer.opencl;

import java.nio.IntBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;

/** A further in-order queue of a device, for copies. Made when it is first used. */
final class CopyQueue implements AutoCloseable {
  private final DeviceQueue device;
  private long queue = MemoryUtil.NULL;

  CopyQueue(DeviceQueue device) {
    this.device = device;
  }

  long id() {
    if (queue == MemoryUtil.NULL) {
      try (MemoryStack stack = MemoryStack.stackPush()) {
        IntBuffer status = stack.mallocInt(1);
        long properties = CL10.CL_QUEUE_PROFILING_ENABLE;
        queue = CL10.clCreateCommandQueue(device.context(), device.id(), properties, status);
        Status.check(status, "create a further queue on " + device.device().info());
      }
    }
    return queue;
  }

  /** Waits for its copies. */
  void finish() {
    if (queue != MemoryUtil.NULL) {
      device.activity().waited();
      Status.check(CL10.clFinish(queue), "finish the copies on " + device.device().info().name());
    }
  }

  @Override
  public void close() {
    if (queue != MemoryUtil.NULL) {
      CL10.clReleaseCommandQueue(queue);
      queue = MemoryUtil.NULL;
    }
  }
}
