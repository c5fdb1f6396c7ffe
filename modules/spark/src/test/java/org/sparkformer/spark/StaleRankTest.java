package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.TimeUnit;
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

  private int runs;
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
      PROCESSES.add(RankProcess.start());
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

  @Tag("soak")
  @Test
  void nothingInAThousandInterleavings() throws Exception {
    sleepAndWake(new Random(42), INTERLEAVINGS);
  }

  private void sleepAndWake(Random random, int interleavings) throws Exception {
    long nanos = 0;
    for (int warmUp = 0; warmUp < 2 * PROCESSES.size(); warmUp++) {
      Collections.rotate(PROCESSES, 1);
      nanos = attemptNanos();
    }
    long start = System.nanoTime();
    int done = 0;
    while (done < interleavings) {
      boolean inItsAttempt = interleave(random, nanos);
      done += inItsAttempt ? 1 : 0;
      // Attempts get faster as the processes compile.
      nanos += inItsAttempt ? nanos / 20 : -nanos / 10;
    }
    System.out.printf(
        "%d interleavings of attempts of %d ms in %d s: in %d the process woke before the newer attempt's end, %d restarts%n",
        done, nanos / 1_000_000, (System.nanoTime() - start) / 1_000_000_000, inTime, restarts);
    assertTrue(inTime > interleavings / 4, inTime + " woke in time");
    assertTrue(restarts <= interleavings / 4, restarts + " restarts");
  }

  /** How long an attempt takes that nothing disturbs. */
  private long attemptNanos() throws Exception {
    try (Attempts attempts = new Attempts()) {
      long start = System.nanoTime();
      attempts.start(PROCESSES.get(0), PROCESSES.get(1));
      assertEquals(weights, PROCESSES.get(0).awaitEnd());
      assertEquals(weights, PROCESSES.get(1).awaitEnd());
      attempts.assertAsStraight(true);
      return System.nanoTime() - start;
    }
  }

  /** False where the rank was done before it could be stopped. */
  private boolean interleave(Random random, long nanos) throws Exception {
    Collections.shuffle(PROCESSES, random);
    int rank = random.nextInt(RankProcess.RANKS);
    RankProcess stale = PROCESSES.get(0);
    RankProcess peer = PROCESSES.get(1);
    RankProcess spare = PROCESSES.get(2);
    try (Attempts attempts = new Attempts()) {
      attempts.start(inPlace(rank, stale, peer));
      TimeUnit.NANOSECONDS.sleep(random.nextLong(nanos));
      stale.signal("STOP");
      boolean tooLate = stale.isOver();
      peer.kill();
      peer.awaitEnd();
      attempts.start(inPlace(rank, spare, peer));
      TimeUnit.NANOSECONDS.sleep(random.nextLong(nanos));
      boolean early = !spare.isOver();
      stale.signal("CONT");
      stale.awaitEnd();
      if (tooLate) {
        spare.awaitEnd();
        peer.awaitEnd();
        return false;
      }
      inTime += early ? 1 : 0;
      awaitWeights(attempts, inPlace(rank, spare, peer));
      attempts.assertAsStraight(early);
      return true;
    }
  }

  private static RankProcess[] inPlace(int rank, RankProcess process, RankProcess other) {
    return rank == 0 ? new RankProcess[] {process, other} : new RankProcess[] {other, process};
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
      lease =
          RunLease.acquire(
              RunFolder.of(HADOOP, run.toUri().toString()),
              "stale",
              RunLease.USUAL_LIMIT,
              message -> {});
      link =
          DriverLink.listen(
              SparkNetwork.loopback(Map.of()), run.getFileName().toString(), (rank, line) -> {});
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
     * @param inTime whether the newer attempt could still put the log right
     */
    void assertAsStraight(boolean inTime) throws IOException {
      String name = run.getFileName().toString();
      CheckpointStore store = new CheckpointStore(RunFolder.of(HADOOP, run.toUri().toString()), 2);
      assertEquals(
          List.of(RankProcess.STEPS - RankProcess.INTERVAL, RankProcess.STEPS),
          store.steps(),
          name);
      for (int step : store.steps()) {
        store.verify(step);
      }
      if (inTime) {
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
