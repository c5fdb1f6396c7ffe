package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.spark.transport.HostileCallers;
import org.sparkformer.spark.transport.HostileCallers.Attack;
import org.sparkformer.spark.transport.Stranger;
import org.sparkformer.training.TrainingListener;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** Training on executors while strangers call whatever listens. */
class BesiegedTrainingTest {
  private static final int STEPS = 600;
  private static final int RANKS = 2;
  private static final long MOST_GROWTH = 64L << 20;
  private static final int COUNTS_BEFORE = 3;
  private static final int MOST_COUNTS = 5;

  @TempDir static Path folder;

  private static String calm;

  @BeforeAll
  static void trainUndisturbed() throws Exception {
    TinyRun.text(folder);
    calm = train("calm", "local[1]", 1, TrainingListener.NONE);
  }

  /** Of an application that demands authentication, and TLS. */
  @Test
  void aProcessWithoutTheSecretIsHeardByNoRankNorTheDriver() throws Exception {
    Map<String, String> settings = Stranger.settings(folder);
    settings.forEach(System::setProperty);
    try (Stranger stranger = Stranger.start(folder)) {
      Besieged<List<List<String>>> log = new Besieged<>(stranger::call);
      assertEquals(calm, train("besieged", "local-cluster[2,1,1024]", RANKS, log));
      List<List<String>> words = log.outcome();
      assertEquals(0, heard(words.get(0)), words.get(0).toString());
      assertEquals(0, heard(words.get(1)), words.get(1).toString());
      // It did call both ranks and the driver: with the secret it is told that the run is another.
      assertEquals(RANKS + 1, heard(words.get(2)), words.get(2).toString());
      assertUnmoved(log);
    } finally {
      settings.keySet().forEach(System::clearProperty);
    }
  }

  /**
   * In plain text, where anybody is listened to until they have said who they are. While their
   * connections are open, they cost neither the driver nor any rank 64 MiB of its heap.
   */
  @Test
  void attacksAtTheRanksAndTheDriverDoNotDisturbTraining() throws Exception {
    try (HostileCallers strangers = new HostileCallers()) {
      Besieged<Integer> log =
          new Besieged<>(
              addresses -> {
                List<Long> before = liveHeaps();
                List<String> ours = addresses.stream().filter(HostileCallers::isOfARun).toList();
                for (Attack attack : Attack.values()) {
                  for (String address : ours) {
                    strangers.attack(attack, address);
                  }
                }
                assertGrewLittle(before);
                return ours.size();
              });
      assertEquals(calm, train("attacked", "local-cluster[2,1,1024]", RANKS, log));
      assertEquals(RANKS + 1, log.outcome());
      assertUnmoved(log);
    }
  }

  /** The least of some counts of each process: one may have counted what was not collected. */
  private static List<Long> liveHeaps() throws IOException {
    List<Long> bytes = new ArrayList<>();
    for (ProcessHandle process : Besieged.processes()) {
      long least = Long.MAX_VALUE;
      for (int count = 0; count < COUNTS_BEFORE; count++) {
        least = Math.min(least, LiveHeap.bytes(process));
      }
      bytes.add(least);
    }
    return bytes;
  }

  /** By one count of each process: others may have counted what was not collected. */
  private static void assertGrewLittle(List<Long> before) throws IOException {
    List<ProcessHandle> processes = Besieged.processes();
    assertEquals(before.size(), processes.size());
    for (int i = 0; i < before.size(); i++) {
      long growth = Long.MAX_VALUE;
      for (int count = 0; count < MOST_COUNTS && growth >= MOST_GROWTH; count++) {
        growth = LiveHeap.bytes(processes.get(i)) - before.get(i);
      }
      assertTrue(
          growth < MOST_GROWTH,
          "process %d of %s grew by %d bytes".formatted(i, processes, growth));
    }
  }

  /** Each step was made once: nothing was begun again. */
  private static void assertUnmoved(Besieged<?> log) {
    assertEquals(IntStream.rangeClosed(1, STEPS).boxed().toList(), log.steps);
    assertEquals(List.of(), log.strange());
  }

  private static long heard(List<String> refusals) {
    return refusals.stream()
        .filter(words -> words.contains(Stranger.HEARD) || words.equals(Stranger.TAKEN_IN))
        .count();
  }

  private static String train(String run, String master, int ranks, TrainingListener listener)
      throws Exception {
    TrainingConfiguration training =
        TinyRun.training(STEPS).toBuilder().evalInterval(0).checkpointInterval(0).build();
    try (JavaSparkContext context =
        SparkSessions.openContext("authenticated", Optional.of(master))) {
      return new TrainingDriver(context)
          .train(TinyRun.request(folder, run, training).withRanks(OptionalInt.of(ranks)), listener)
          .weightsSha256();
    }
  }
}
