package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.spark.transport.DriverLink;
import org.sparkformer.spark.transport.SparkNetwork;
import org.sparkformer.training.CheckpointStore;
import org.sparkformer.training.Json;
import org.sparkformer.training.RunFolder;
import org.sparkformer.training.RunLease;
import org.sparkformer.training.TrainingListener;

/**
 * One of two ranks' processes is stopped at any moment, sleeps while its attempt ends and a newer
 * one begins, and wakes up at any moment of that one's. The processes live on, for hundreds of
 * attempts.
 */
class StaleRankTest {
  private static final int INTERLEAVINGS = Integer.getInteger("stale.interleavings", 1000);

  /** A rank that was asleep between the driver's answer and its file may cost a restart. */
  private static final String FIRST_THERE = "is there already";

  private static final List<RankProcess> PROCESSES = new ArrayList<>();
  private static final Configuration HADOOP = new Configuration(false);
  private static String weights;
  private static List<String> metrics;
  @TempDir static Path folder;

  /** Of each rank in an attempt that nothing disturbs. */
  private final int[] points = new int[RankProcess.RANKS];

  /** So far, by all tests: their folders lie beside each other. */
  private static int runs;

  private int inTime;
  private int restarts;

  @BeforeAll
  static void trainStraight() throws Exception {
    TinyRun.text(folder);
    try (JavaSparkContext context = SparkSessions.openContext("stale", Optional.of("local[2]"))) {
      weights =
          new TrainingDriver(context)
              .train(
                  TinyRun.request(folder, "straight", RankProcess.training())
                      .withRanks(OptionalInt.of(RankProcess.RANKS)),
                  TrainingListener.NONE)
              .weightsSha256();
    }
    metrics = steps("straight");
    for (int i = 0; i <= RankProcess.RANKS; i++) {
      PROCESSES.add(RankProcess.start(folder.resolve("process-" + i + ".log")));
    }
  }

  @AfterAll
  static void stop() {
    PROCESSES.forEach(RankProcess::close);
  }

  @Test
  void nothingOfAProcessThatSleptThroughARestartIsTaken() throws Exception {
    sleepAndWake(new Random(41), 12);
  }

  @Test
  void nothingOfAProcessThatSleptPastTheEndOfTheRunIsTaken() throws Exception {
    Random random = new Random(43);
    warmUp();
    for (int asleep = 0; asleep < 8; ) {
      asleep += sleepPastTheEnd(random) ? 1 : 0;
    }
  }

  @Tag("soak")
  @Test
  void nothingInAThousandInterleavings() throws Exception {
    sleepAndWake(new Random(42), INTERLEAVINGS);
  }

  private void sleepAndWake(Random random, int interleavings) throws Exception {
    warmUp();
    long start = System.nanoTime();
    for (int done = 0; done < interleavings; ) {
      done += interleave(random) ? 1 : 0;
    }
    System.out.printf(
        "%d interleavings in %d s: in %d the process woke before the newer attempt's end, %d restarts%n",
        interleavings, (System.nanoTime() - start) / 1_000_000_000, inTime, restarts);
    assertTrue(inTime > interleavings / 4, inTime + " woke in time");
    assertTrue(restarts <= interleavings / 4, restarts + " restarts");
  }

  /** Attempts that nothing disturbs, until all processes have been both ranks. */
  private void warmUp() throws Exception {
    for (int i = 0; i < 2 * PROCESSES.size(); i++) {
      Collections.rotate(PROCESSES, 1);
      try (Attempts attempts = new Attempts()) {
        attempts.start(PROCESSES.get(0), PROCESSES.get(1));
        for (int rank = 0; rank < RankProcess.RANKS; rank++) {
          assertEquals(weights, PROCESSES.get(rank).awaitEnd());
          points[rank] = PROCESSES.get(rank).points();
        }
        attempts.assertAsStraight(true);
      }
    }
  }

  /**
   * Who a rank of the first attempt is, its peer in both, and who takes its place in the second.
   */
  private record Roles(int rank, RankProcess stale, RankProcess peer, RankProcess spare) {
    static Roles draw(Random random) {
      Collections.shuffle(PROCESSES, random);
      int rank = random.nextInt(RankProcess.RANKS);
      return new Roles(rank, PROCESSES.get(0), PROCESSES.get(1), PROCESSES.get(2));
    }

    RankProcess[] first() {
      return inPlace(stale);
    }

    RankProcess[] second() {
      return inPlace(spare);
    }

    private RankProcess[] inPlace(RankProcess process) {
      return rank == 0 ? new RankProcess[] {process, peer} : new RankProcess[] {peer, process};
    }
  }

  /**
   * Stops a rank at any moment of the first attempt, and ends that one.
   *
   * @return false where the rank was done before it could be stopped
   */
  private boolean stop(Roles roles, Attempts attempts, Random random) throws Exception {
    attempts.start(roles.first());
    roles.stale().awaitPoint(random.nextInt(points[roles.rank()]));
    roles.stale().signal("STOP");
    boolean inItsAttempt = !roles.stale().isOver();
    roles.peer().kill();
    roles.peer().awaitEnd();
    return inItsAttempt;
  }

  private static void wake(RankProcess stale) throws InterruptedException {
    stale.signal("CONT");
    stale.awaitEnd();
  }

  /** False where the rank was done before it could be stopped. */
  private boolean interleave(Random random) throws Exception {
    Roles roles = Roles.draw(random);
    try (Attempts attempts = new Attempts()) {
      boolean inItsAttempt = stop(roles, attempts, random);
      roles.spare().pauseAt(1 + random.nextInt(points[roles.rank()]));
      attempts.start(roles.second());
      boolean early = roles.spare().awaitPause();
      boolean race = random.nextBoolean();
      if (early && race) {
        roles.spare().goOn();
      }
      wake(roles.stale());
      if (early && !race) {
        roles.spare().goOn();
      }
      if (!inItsAttempt) {
        roles.spare().awaitEnd();
        roles.peer().awaitEnd();
        return false;
      }
      inTime += early ? 1 : 0;
      awaitWeights(attempts, roles.second());
      attempts.assertAsStraight(early && !race);
      return true;
    }
  }

  /**
   * The rank wakes when the run's driver is gone, and another has its folder. False where the rank
   * was done before it could be stopped.
   */
  private boolean sleepPastTheEnd(Random random) throws Exception {
    Roles roles = Roles.draw(random);
    Attempts attempts = new Attempts();
    boolean inItsAttempt;
    try (attempts) {
      inItsAttempt = stop(roles, attempts, random);
      attempts.start(roles.second());
      awaitWeights(attempts, roles.second());
    }
    try (RunLease another = attempts.acquire()) {
      Map<Path, FileTime> before = attempts.files();
      wake(roles.stale());
      another.requireHeld();
      Map<Path, FileTime> after = attempts.files();
      after.keySet().retainAll(before.keySet());
      assertEquals(before, after, roles.toString());
      attempts.assertAsStraight(true);
    }
    return inItsAttempt;
  }

  private void awaitWeights(Attempts attempts, RankProcess... ranks) throws Exception {
    List<String> ends = List.of(ranks[0].awaitEnd(), ranks[1].awaitEnd());
    if (ends.stream().anyMatch(end -> end.contains(FIRST_THERE))) {
      restarts++;
      attempts.start(ranks);
      ends = List.of(ranks[0].awaitEnd(), ranks[1].awaitEnd());
    }
    assertEquals(List.of(weights, weights), ends, attempts.run.toString());
  }

  private static List<String> steps(String run) throws IOException {
    List<String> steps = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve(run).resolve("metrics.jsonl"))) {
      var json = Json.tree(line.getBytes(StandardCharsets.UTF_8));
      steps.add(json.path("step") + " " + json.path("loss") + json.path("val_loss"));
    }
    return steps;
  }

  /** The attempts at one run, and who admits them. */
  private final class Attempts implements AutoCloseable {
    private final Path run = folder.resolve("run-" + runs++);
    private final RunLease lease;
    private final DriverLink link;
    private int attempt;

    Attempts() throws IOException {
      lease = acquire();
      link =
          DriverLink.listen(
              SparkNetwork.loopback(Map.of()), run.getFileName().toString(), (rank, line) -> {});
    }

    RunLease acquire() throws IOException {
      return RunLease.acquire(
          RunFolder.of(HADOOP, run.toUri().toString()),
          "stale",
          RunLease.USUAL_LIMIT,
          message -> {});
    }

    /** When each file of the run was written, but for what tells who writes it. */
    Map<Path, FileTime> files() throws IOException {
      Map<Path, FileTime> files = new TreeMap<>();
      try (Stream<Path> all = Files.walk(run)) {
        for (Path file : all.filter(Files::isRegularFile).toList()) {
          files.put(file, Files.getLastModifiedTime(file));
        }
      }
      files.keySet().removeIf(file -> file.startsWith(run.resolve("writer")));
      return files;
    }

    void start(RankProcess... ranks) throws InterruptedException {
      link.admit(attempt);
      List<String> addresses = new ArrayList<>();
      for (int rank = 0; rank < ranks.length; rank++) {
        addresses.add(
            ranks[rank].begin(
                new RankProcess.Order(
                    run,
                    folder.resolve("straight/dataset").toString(),
                    link.address(),
                    attempt,
                    rank,
                    lease.token())));
      }
      attempt++;
      for (RankProcess rank : ranks) {
        rank.train(addresses);
      }
    }

    /**
     * The newest checkpoints whole, and nothing beside them; each step logged once.
     *
     * @param logged whether the newer attempt was the last to write its log
     */
    void assertAsStraight(boolean logged) throws IOException {
      String name = run.getFileName().toString();
      CheckpointStore store = new CheckpointStore(RunFolder.of(HADOOP, run.toUri().toString()), 2);
      assertEquals(
          List.of(RankProcess.STEPS - RankProcess.INTERVAL, RankProcess.STEPS),
          store.steps(),
          name);
      for (int step : store.steps()) {
        store.verify(step);
      }
      if (logged) {
        assertEquals(metrics, steps(name), name);
      }
      assertEquals(weights, DriverProcess.weights(run), name);
    }

    @Override
    public void close() throws IOException {
      link.close();
      lease.close();
    }
  }
}
