package org.sparkformer.spark;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.sparkformer.testkit.LoggedProcess;
import org.sparkformer.training.configuration.TrainingConfiguration;

/**
 * A process that is a rank of one attempt after another, as a task of the gang is, but without the
 * seconds that Spark takes to start one. Before each frame it passes a point, of which it tells,
 * and at one of them it waits where it is ordered to.
 */
final class RankProcess implements AutoCloseable {
  static final int RANKS = 2;
  static final int STEPS = 6;
  static final int INTERVAL = 2;

  static final Duration LONG = Duration.ofSeconds(60);
  static final String ADDRESS = "address ";
  static final String END = "end ";
  static final String POINT = "point";
  static final String PAUSE = "pause";

  private final Process process;
  private final PrintWriter input;
  private final Path log;
  private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
  private int points;

  /**
   * What a rank is told.
   *
   * @param run its folder and its number for the driver
   * @param driver address of the link
   * @param token of the folder's lease
   */
  record Order(Path run, String dataset, String driver, int attempt, int rank, long token) {
    String line() {
      return String.join(
          "\t", run.toString(), dataset, driver, "" + attempt, "" + rank, "" + token);
    }

    static Order parse(String line) {
      String[] words = line.split("\t");
      return new Order(
          Path.of(words[0]),
          words[1],
          words[2],
          Integer.parseInt(words[3]),
          Integer.parseInt(words[4]),
          Long.parseLong(words[5]));
    }

    String runId() {
      return run.getFileName().toString();
    }
  }

  private RankProcess(Process process, Path log) {
    this.process = process;
    this.log = log;
    this.input = new PrintWriter(process.getOutputStream(), true, StandardCharsets.UTF_8);
    Thread listener = new Thread(this::listen, "rank-process");
    listener.setDaemon(true);
    listener.start();
  }

  /**
   * @param log where its errors go
   */
  static RankProcess start(Path log) throws IOException {
    List<String> command =
        LoggedProcess.java(
            List.of("-Xmx256m", "-XX:TieredStopAtLevel=1"), OrderedRank.class, List.of());
    return new RankProcess(new ProcessBuilder(command).redirectError(log.toFile()).start(), log);
  }

  private void listen() {
    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))
        .lines()
        .forEach(this::heard);
  }

  private synchronized void heard(String line) {
    if (line.equals(POINT)) {
      points++;
    } else {
      heard.add(line);
    }
    notifyAll();
  }

  /** Begins an attempt, and returns where the rank listens. */
  String begin(Order order) throws InterruptedException {
    synchronized (this) {
      points = 0;
    }
    input.println("begin " + order.line());
    return hear(ADDRESS);
  }

  /** Lets the rank call the others and train. */
  void train(List<String> addresses) {
    input.println("train " + String.join(",", addresses));
  }

  /** Ends the attempt, as Spark ends the tasks of a stage that has failed. */
  void kill() {
    input.println("kill");
  }

  /** Points that it has passed in this attempt. */
  synchronized int points() {
    return points;
  }

  /** Waits until it has passed as many points, or has ended. */
  void awaitPoint(int number) throws InterruptedException {
    await(() -> points >= number || isOver(), POINT + " " + number);
  }

  /**
   * Lets it wait at a point of its next attempt.
   *
   * @param number from 1
   */
  void pauseAt(int number) {
    input.println("pause " + number);
  }

  /** Waits until it waits, or has ended without coming to that point; which of the two. */
  boolean awaitPause() throws InterruptedException {
    await(() -> heard.contains(PAUSE) || isOver(), PAUSE);
    return heard.contains(PAUSE);
  }

  private synchronized void await(BooleanSupplier reached, String what)
      throws InterruptedException {
    long end = System.nanoTime() + LONG.toNanos();
    while (!reached.getAsBoolean()) {
      long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
      if (left <= 0) {
        throw silence(what);
      }
      wait(left);
    }
  }

  /** Lets it go on from where it waits. */
  void goOn() {
    input.println("go");
  }

  void signal(String name) {
    ExecutorProcesses.signal(process.toHandle(), name);
  }

  /** Whether the rank has ended. */
  boolean isOver() {
    return heard.stream().anyMatch(line -> line.startsWith(END));
  }

  /** How the rank ended: the weights' digest, or why not. */
  String awaitEnd() throws InterruptedException {
    return hear(END);
  }

  private String hear(String word) throws InterruptedException {
    while (true) {
      String line = heard.poll(LONG.toSeconds(), TimeUnit.SECONDS);
      if (line == null) {
        throw silence(word);
      }
      if (line.startsWith(word)) {
        return line.substring(word.length());
      }
    }
  }

  private AssertionError silence(String word) {
    try {
      return new AssertionError(
          "the rank's process does not say '%s': %s".formatted(word, Files.readString(log)));
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }

  /** How all ranks train: four micro-batches a step, a checkpoint every other step. */
  static TrainingConfiguration training() {
    return TinyRun.training(STEPS).toBuilder()
        .evalInterval(0)
        .checkpointInterval(INTERVAL)
        .stepTimeout((int) LONG.toSeconds())
        .build();
  }
}
