package org.sparkformer.testkit;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A process whose words, on both of its outputs, go to a file that can be waited upon. */
public final class LoggedProcess implements AutoCloseable {
  private static final long POLL_MILLISECONDS = 20;

  private final Process process;
  private final Path log;

  private LoggedProcess(Process process, Path log) {
    this.process = process;
    this.log = log;
  }

  /**
   * @param environment variables on top of this process's own
   */
  public static LoggedProcess start(Path log, Map<String, String> environment, List<String> command)
      throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().putAll(environment);
    return new LoggedProcess(builder.start(), log);
  }

  /** As below, with this process's class path. */
  public static List<String> java(List<String> options, Class<?> main, List<String> arguments) {
    return java(options, System.getProperty("java.class.path"), main.getName(), arguments);
  }

  /**
   * A command of this Java run time, with the modules opened that this process has open: what Spark
   * needs.
   *
   * @param options of Java, such as {@code -Xmx1g}
   */
  public static List<String> java(
      List<String> options, String classPath, String main, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(argument -> argument.startsWith("--add-opens"))
        .forEach(command::add);
    command.addAll(options);
    command.addAll(List.of("-cp", classPath, main));
    command.addAll(arguments);
    return command;
  }

  /**
   * Waits for words in the log.
   *
   * @return their first match
   * @throws IllegalStateException with the log, when the process ends or the time is over first
   */
  public Matcher await(String words, Duration longest) throws IOException, InterruptedException {
    Pattern pattern = Pattern.compile(words);
    long deadline = System.nanoTime() + longest.toNanos();
    while (true) {
      boolean over = !process.isAlive() || System.nanoTime() > deadline;
      Matcher matcher = pattern.matcher(log());
      if (matcher.find()) {
        return matcher;
      }
      if (over) {
        throw new IllegalStateException("'%s' was not said: %s".formatted(words, log()));
      }
      Thread.sleep(POLL_MILLISECONDS);
    }
  }

  /**
   * Waits for the end.
   *
   * @throws IllegalStateException with the log, when the time is over first
   */
  public int exitCode(Duration longest) throws IOException, InterruptedException {
    if (!process.waitFor(longest.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new IllegalStateException("not ended within %s: %s".formatted(longest, log()));
    }
    return process.exitValue();
  }

  /** Sends it a signal by name. */
  public void signal(String name) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Its children, and theirs. */
  public Stream<ProcessHandle> descendants() {
    return process.descendants();
  }

  public String log() throws IOException {
    return Files.readString(log);
  }

  /** Kills it and its descendants. */
  @Override
  public void close() {
    List<ProcessHandle> all = Stream.concat(descendants(), Stream.of(process.toHandle())).toList();
    all.forEach(ProcessHandle::destroyForcibly);
    all.forEach(handle -> handle.onExit().join());
  }
}
