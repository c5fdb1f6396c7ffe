package org.sparkformer.opencl;

import org.lwjgl.opencl.CL10;
import org.sparkformer.tensor.Backend;

/** A copy in the queue; its event is let go of by the first wait. */
final class PendingCopy implements Backend.Pending {
  private final String what;
  private long event;

  /**
   * @param what it does, for messages
   */
  PendingCopy(long event, String what) {
    this.event = event;
    this.what = what;
  }

  @Override
  public synchronized void await() {
    if (event != 0) {
      int status = CL10.clWaitForEvents(event);
      CL10.clReleaseEvent(event);
      event = 0;
      Status.check(status, what);
    }
  }
}
