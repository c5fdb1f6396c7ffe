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
      EventMark mark = new EventMark(event.get(0));
      // Who asks whether it is reached does not send it to the device; who waits does.
      Status.check(CL10.clFlush(queue.queue()), "queue a time stamp");
      return mark;
    }
  }

  @Override
  public void await() {
    resolve();
  }

  /** Lets go of the event where it is. */
  @Override
  public synchronized boolean isReached() {
    if (event != 0) {
      int[] state = new int[1];
      Status.check(
          CL10.clGetEventInfo(event, CL10.CL_EVENT_COMMAND_EXECUTION_STATUS, state, null),
          "ask for a time stamp");
      // Negative where it failed: the wait, which is none, says how.
      if (state[0] <= CL10.CL_COMPLETE) {
        resolve();
      }
    }
    return event == 0;
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

  @Override
  public double millisecondsSince(Backend.Mark earlier) {
    EventMark start = (EventMark) earlier;
    start.resolve();
    resolve();
    return (nanoseconds - start.nanoseconds) / 1e6;
  }
}
