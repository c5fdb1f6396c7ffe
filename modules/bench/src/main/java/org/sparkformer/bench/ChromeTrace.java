package org.sparkformer.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.sparkformer.opencl.TracedCommand;

/** Device commands as a file for chrome://tracing or Perfetto (Trace Event Format). */
final class ChromeTrace {
  private ChromeTrace() {}

  static void write(Path file, List<TracedCommand> commands) throws IOException {
    long origin = commands.stream().mapToLong(TracedCommand::start).min().orElse(0);
    List<Map<String, Object>> events =
        commands.stream().map(command -> event(command, origin)).toList();
    new ObjectMapper().writeValue(file.toFile(), Map.of("traceEvents", events));
  }

  /** A complete event; times are microseconds. */
  private static Map<String, Object> event(TracedCommand command, long origin) {
    return Map.of(
        "name",
        command.name(),
        "ph",
        "X",
        "pid",
        0,
        "tid",
        0,
        "ts",
        (command.start() - origin) / 1e3,
        "dur",
        (command.end() - command.start()) / 1e3);
  }
}
