package org.sparkformer.opencl;

import java.util.ArrayList;
import java.util.Comparator;
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

  private record Traced(TracedCommand.Queue queue, String name, long bytes, long event) {
    TracedCommand command() {
      return new TracedCommand(
          queue,
          name,
          bytes,
          time(event, CL10.CL_PROFILING_COMMAND_START),
          time(event, CL10.CL_PROFILING_COMMAND_END));
    }
  }

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
  synchronized PointerBuffer event(MemoryStack stack) {
    return trace == null ? null : stack.mallocPointer(1);
  }

  /**
   * Takes a command's event for the trace, if it has one.
   *
   * @param bytes that it copies; 0 for kernels
   */
  synchronized void trace(TracedCommand.Queue queue, String name, long bytes, PointerBuffer event) {
    if (event == null) {
      return;
    }
    if (trace == null) {
      CL10.clReleaseEvent(event.get(0));
    } else {
      trace.add(new Traced(queue, name, bytes, event.get(0)));
    }
  }

  /** As {@link #trace}, of a copy whose event has another owner too. */
  synchronized void traceShared(TracedCommand.Queue queue, String name, long bytes, long event) {
    if (trace != null) {
      Status.check(CL10.clRetainEvent(event), "keep the event of a copy");
      trace.add(new Traced(queue, name, bytes, event));
    }
  }

  synchronized void startTrace() {
    trace = new ArrayList<>();
  }

  /** The commands since {@link #startTrace}, all of them done, in the order in which they began. */
  synchronized List<TracedCommand> endTrace() {
    List<TracedCommand> commands = new ArrayList<>();
    for (Traced traced : trace) {
      commands.add(traced.command());
      CL10.clReleaseEvent(traced.event());
    }
    trace = null;
    commands.sort(Comparator.comparingLong(TracedCommand::start));
    return commands;
  }

  private static long time(long event, int which) {
    long[] nanoseconds = new long[1];
    Status.check(
        CL10.clGetEventProfilingInfo(event, which, nanoseconds, null), "read a time stamp");
    return nanoseconds[0];
  }
}
