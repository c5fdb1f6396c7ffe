package org.sparkformer.opencl;

import org.lwjgl.opencl.CL10;
import org.sparkformer.tensor.Backend;

/** A copy in the queue; its event is let go of by the first wait. */
final class PendingCopy implements Backend.Pending {
  private final Activity activity;
  private final String what;
  private long event;

  /**
   * @param what it does, for messages
   */
  PendingCopy(long event, Activity activity, String what) {
    this.event = event;
    this.activity = activity;
    this.what = what;
  }

  @Override
  public synchronized void await() {
    if (event != 0) {
      if (!EventState.isOver(event)) {
        activity.waited();
      }
      int status = CL10.clWaitForEvents(event);
      CL10.clReleaseEvent(event);
      event = 0;
      Status.check(status, what);
    }
  }
}
