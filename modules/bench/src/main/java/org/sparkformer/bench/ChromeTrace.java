package org.sparkformer.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.sparkformer.opencl.TracedCommand;

/**
 * Device commands as a file for chrome://tracing or Perfetto (Trace Event Format): a thread a
 * queue.
 */
final class ChromeTrace {
  private ChromeTrace() {}

  /**
   * @param commands in the order of their starts
   */
  static void write(Path file, List<TracedCommand> commands) throws IOException {
    long origin = commands.isEmpty() ? 0 : commands.get(0).start();
    List<Map<String, Object>> events =
        Stream.concat(
                commands.stream().map(TracedCommand::queue).distinct().map(ChromeTrace::name),
                commands.stream().map(command -> event(command, origin)))
            .toList();
    new ObjectMapper().writeValue(file.toFile(), Map.of("traceEvents", events));
  }

  /** A metadata event that names a thread. */
  private static Map<String, Object> name(TracedCommand.Queue queue) {
    return Map.of(
        "name",
        "thread_name",
        "ph",
        "M",
        "pid",
        0,
        "tid",
        queue.ordinal(),
        "args",
        Map.of("name", queue.label()));
  }

  /** A complete event; times are microseconds. */
  private static Map<String, Object> event(TracedCommand command, long origin) {
    return Map.of(
        "name",
        command.name(),
        "cat",
        command.isCopy() ? "copy" : "kernel",
        "ph",
        "X",
        "pid",
        0,
        "tid",
        command.queue().ordinal(),
        "ts",
        (command.start() - origin) / 1e3,
        "dur",
        (command.end() - command.start()) / 1e3,
        "args",
        command.isCopy() ? Map.of("bytes", command.bytes()) : Map.of());
  }
}
