package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.training.RunSummary;
import org.sparkformer.training.configuration.TrainingConfiguration;

/**
 * An executor's process that is stopped keeps its connections: only time tells. The limits are the
 * defaults.
 */
class StoppedExecutorTest {
  private static final double LONGEST_SILENCE_SECONDS = 30;
  private static final Duration LONGEST_ABORT = Duration.ofSeconds(60);
  private static final Pattern DUMP =
      Pattern.compile(
          "rank (\\d) of 2, [a-z -]+ \\d+: no sign of life for 30.0 s; not heard from: rank (\\d);"
              + " last known: rank 0: step \\d+, (.*); rank 1: step \\d+, (.*); going on");

  private static final ExecutorProcesses EXECUTORS = new ExecutorProcesses(ProcessHandle.current());
  private static SparkSession session;
  @TempDir static Path folder;

  @BeforeAll
  static void start() throws Exception {
    session = SparkSessions.open("stopped", Optional.of("local-cluster[2,1,1024]"));
    TinyRun.text(folder);
  }

  @AfterAll
  static void stop() {
    session.stop();
  }

  @Test
  void aStoppedExecutorIsNamedWithWhatEachRankDidAndTheRunEndsWithTheSameWeights()
      throws Exception {
    RunSummary calm = train("calm", OptionalInt.of(1), new TinyRun.Log());
    Stopping log = new Stopping();
    RunSummary disturbed = train("disturbed", OptionalInt.of(2), log);

    assertEquals(calm.weightsSha256(), disturbed.weightsSha256());
    assertEquals(2, log.starts.size(), log.messages.toString());
    assertTrue(log.toAbort.compareTo(LONGEST_ABORT) < 0, log.toAbort.toString());
    Matcher dump = DUMP.matcher(log.dump);
    assertTrue(dump.find(), log.dump);
    int silent = Integer.parseInt(dump.group(2));
    assertEquals(1 - Integer.parseInt(dump.group(1)), silent);
    String lastOfSilent = dump.group(silent == 0 ? 3 : 4);
    Matcher age = Pattern.compile("\\(said ([0-9.]+) s ago\\)").matcher(lastOfSilent);
    assertTrue(age.find(), log.dump);
    assertTrue(Double.parseDouble(age.group(1)) > LONGEST_SILENCE_SECONDS / 2, log.dump);
  }

  private static RunSummary train(String output, OptionalInt ranks, TinyRun.Log log)
      throws Exception {
    TrainingConfiguration training =
        TinyRun.training(60).toBuilder().evalInterval(0).checkpointInterval(10).build();
    return new TrainingDriver(session)
        .train(TinyRun.request(folder, output, training).withRanks(ranks), log);
  }

  /** Stops an executor after the first checkpoint, and kills it once the run has given it up. */
  private static final class Stopping extends TinyRun.Log {
    private final AtomicReference<ProcessHandle> stopped = new AtomicReference<>();
    private volatile long sinceNanos;
    private volatile Duration toAbort = Duration.ZERO;
    private volatile String dump = "";

    @Override
    public void onCheckpoint(int step, String path) {
      super.onCheckpoint(step, path);
      if (stopped.compareAndSet(null, EXECUTORS.alive().get(0))) {
        sinceNanos = System.nanoTime();
        ExecutorProcesses.signal(stopped.get(), "STOP");
      }
    }

    @Override
    public void onMessage(String message) {
      super.onMessage(message);
      if (message.contains("going on from the newest checkpoint") && dump.isEmpty()) {
        toAbort = Duration.ofNanos(System.nanoTime() - sinceNanos);
        dump = message;
        stopped.get().destroyForcibly();
      }
    }
  }
}
