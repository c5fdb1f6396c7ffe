package org.sparkformer.opencl;

import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.CL12;
import org.lwjgl.system.MemoryStack;
import org.sparkformer.tensor.Backend;

/** A marker in the queue and, once it is known, the device time at which it was reached. */
final class EventMark implements Backend.Mark {
  private long event;
  private long nanoseconds;

  private EventMark(long event) {
    this.event = event;
  }

  static EventMark enqueue(DeviceQueue queue) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      PointerBuffer event = stack.mallocPointer(1);
      Status.check(
          CL12.clEnqueueMarkerWithWaitList(queue.queue(), null, event), "queue a time stamp");
      return new EventMark(event.get(0));
    }
  }

  @Override
  public void await() {
    resolve();
  }

  /** Waits until the mark is reached, and lets go of the event. */
  synchronized void resolve() {
    if (event == 0) {
      return;
    }
    long[] time = new long[1];
    Status.check(CL10.clWaitForEvents(event), "wait for a time stamp");
    Status.check(
        CL10.clGetEventProfilingInfo(event, CL10.CL_PROFILING_COMMAND_END, time, null),
        "read a time stamp");
    nanoseconds = time[0];
    CL10.clReleaseEvent(event);
    event = 0;
  }

  synchronized boolean isResolved() {
    return event == 0;
  }

  @Override
  public double millisecondsSince(Backend.Mark earlier) {
    EventMark start = (EventMark) earlier;
    start.resolve();
    resolve();
    return (nanoseconds - start.nanoseconds) / 1e6;
  }
}
