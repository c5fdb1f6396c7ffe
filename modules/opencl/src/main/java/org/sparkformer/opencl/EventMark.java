package org.sparkformer.opencl;

import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.CL12;
import org.lwjgl.system.MemoryStack;
import org.sparkformer.tensor.Backend;

/** A marker in the queue and, once it is known, the device time at which it was reached. */
final class EventMark implements Backend.Mark {
  private final Activity activity;
  private long event;
  private long nanoseconds;

  private EventMark(long event, Activity activity) {
    this.event = event;
    this.activity = activity;
  }

  static EventMark enqueue(DeviceQueue queue) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      PointerBuffer event = stack.mallocPointer(1);
      Status.check(
          CL12.clEnqueueMarkerWithWaitList(queue.queue(), null, event), "queue a time stamp");
      EventMark mark = new EventMark(event.get(0), queue.activity());
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
    if (event != 0 && EventState.isOver(event)) {
      // Where it failed, the wait, which is none, says how.
      resolve();
    }
    return event == 0;
  }

  /** Waits until the mark is reached, and lets go of the event. */
  synchronized void resolve() {
    if (event == 0) {
      return;
    }
    if (!EventState.isOver(event)) {
      activity.waitedForMark();
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
