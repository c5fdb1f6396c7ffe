package org.sparkformer.opencl;

import org.lwjgl.opencl.CL10;

/** How far a command has come, which nobody waits to be told. */
final class EventState {
  private EventState() {}

  /** CL_COMPLETE, a positive number for what is still to come, or the error that ended it. */
  static int of(long event) {
    int[] state = new int[1];
    Status.check(
        CL10.clGetEventInfo(event, CL10.CL_EVENT_COMMAND_EXECUTION_STATUS, state, null),
        "ask for the state of a command");
    return state[0];
  }

  /** Whether it is done or has failed, which who waits for it is told. */
  static boolean isOver(long event) {
    return of(event) <= CL10.CL_COMPLETE;
  }
}
