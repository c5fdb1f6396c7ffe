package org.sparkformer.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;

/** The executors of a local cluster, each a process below a driver's. */
final class ExecutorProcesses {
  private static final String MAIN_CLASS = "CoarseGrainedExecutorBackend";

  private final ProcessHandle driver;

  /**
   * @param driver the process that opened the session
   */
  ExecutorProcesses(ProcessHandle driver) {
    this.driver = driver;
  }

  /** Those that run, the oldest first. */
  List<ProcessHandle> alive() {
    return driver
        .descendants()
        .filter(process -> arguments(process).contains(MAIN_CLASS))
        .sorted(Comparator.comparing(ProcessHandle::pid))
        .toList();
  }

  /** The executor that Spark calls by that id. */
  ProcessHandle of(String executorId) {
    return alive().stream()
        .filter(process -> arguments(process).contains("\0--executor-id\0" + executorId + "\0"))
        .findFirst()
        .orElseThrow();
  }

  /** As Linux has them: a zero byte behind each. Empty for a process that has ended. */
  private static String arguments(ProcessHandle process) {
    Path file = Path.of("/proc", Long.toString(process.pid()), "cmdline");
    try {
      return Files.exists(file) ? Files.readString(file, StandardCharsets.ISO_8859_1) : "";
    } catch (IOException ended) {
      return "";
    }
  }

  /** Sends a signal by name. */
  static void signal(ProcessHandle process, String name) {
    try {
      new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
