package org.sparkformer.opencl;

import java.util.ArrayList;
import java.util.List;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;

/**
 * What was asked of one device's queues: always counted, and timed command by command while a trace
 * is taken. Any thread may count, as any may wait.
 */
final class Activity {
  private long launches;
  private long reads;
  private long writes;
  private long started;
  private long waits;
  private long markWaits;
  private long buffers;
  private List<Traced> trace;

  private record Traced(String name, long event) {}

  /** The counts so far. */
  synchronized DeviceActivity counts() {
    return new DeviceActivity(launches, reads, writes, started, waits, markWaits, buffers);
  }

  synchronized void launched() {
    launches++;
  }

  synchronized void read() {
    reads++;
    waits++;
  }

  synchronized void written() {
    writes++;
  }

  synchronized void started() {
    started++;
  }

  synchronized void waited() {
    waits++;
  }

  synchronized void waitedForMark() {
    waits++;
    markWaits++;
  }

  synchronized void bufferCreated() {
    buffers++;
  }

  /** Room for the event of the next command; null while no trace is taken. */
  PointerBuffer event(MemoryStack stack) {
    return trace == null ? null : stack.mallocPointer(1);
  }

  /** Keeps a command's event for the trace, if it has one. */
  void trace(String name, PointerBuffer event) {
    if (event != null) {
      trace.add(new Traced(name, event.get(0)));
    }
  }

  void startTrace() {
    trace = new ArrayList<>();
  }

  /** The commands since {@link #startTrace}, all of them done. */
  List<TracedCommand> endTrace() {
    List<TracedCommand> commands = new ArrayList<>();
    for (Traced traced : trace) {
      commands.add(
          new TracedCommand(
              traced.name(),
              time(traced.event(), CL10.CL_PROFILING_COMMAND_START),
              time(traced.event(), CL10.CL_PROFILING_COMMAND_END)));
      CL10.clReleaseEvent(traced.event());
    }
    trace = null;
    return commands;
  }

  private static long time(long event, int which) {
    long[] nanoseconds = new long[1];
    Status.check(
        CL10.clGetEventProfilingInfo(event, which, nanoseconds, null), "read a time stamp");
    return nanoseconds[0];
  }
}
