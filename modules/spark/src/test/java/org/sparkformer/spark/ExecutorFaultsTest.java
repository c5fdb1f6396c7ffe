package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.Serializable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.training.CheckpointStore;
import org.sparkformer.training.RunFolder;
import org.sparkformer.training.RunSummary;
import org.sparkformer.training.StepMetrics;
import org.sparkformer.training.TrainingStart;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.Precision;
import org.sparkformer.training.configuration.RunConfiguration;

/** Executors are processes here: frames cross sockets, and a process can be killed or stopped. */
class ExecutorFaultsTest {
  private static final int STEPS = 60;
  private static final int INTERVAL = 10;
  private static final int KILLS = Integer.getInteger("kills", 20);
  private static final double MOST_SECONDS = 30;
  private static final int STEP_TIMEOUT_SECONDS = 8;

  private static final ExecutorProcesses EXECUTORS = new ExecutorProcesses(ProcessHandle.current());
  private static final Map<Integer, String> EXECUTOR_OF_RANK = new ConcurrentHashMap<>();
  private static final RecoveryPhases PHASES = new RecoveryPhases();
  private static SparkSession session;
  private static String weights;
  @TempDir static Path folder;

  @BeforeAll
  static void start() throws Exception {
    session = SparkSessions.open("cluster", Optional.of("local-cluster[3,1,1024]"));
    session.sparkContext().addSparkListener(new Placement());
    session.sparkContext().addSparkListener(PHASES);
    TinyRun.text(folder);
    weights = train("undisturbed", 1, new TinyRun.Log()).weightsSha256();
  }

  @AfterAll
  static void stop() {
    session.stop();
  }

  /** The tasks started last are those of the barrier stage, whose partitions are ranks. */
  private static final class Placement extends SparkListener {
    @Override
    public void onTaskStart(SparkListenerTaskStart task) {
      EXECUTOR_OF_RANK.put(task.taskInfo().index(), task.taskInfo().executorId());
    }
  }

  @Test
  void executorsThatShareTheWeightsGiveTheSameBits() throws Exception {
    TrainingRequest sharing = TinyRun.sharingWeights(request("shared", 2));
    RunSummary shared = new TrainingDriver(session).train(sharing, new TinyRun.Log());
    assertEquals(2, shared.ranks());
    assertEquals(weights, shared.weightsSha256());
  }

  /** Several buckets, which leave while the backward pass runs; each way they can take. */
  @Test
  void everyWayThatGradientsTakeBetweenExecutorsGivesTheSameBits() throws Exception {
    int ring = 1;
    int direct = 16;
    String alone = large("alone", 1, direct, Precision.FP32);
    assertEquals(alone, large("direct", 3, direct, Precision.FP32));
    assertEquals(alone, large("ring", 3, ring, Precision.FP32));
    String rounded = large("direct-bf16", 3, direct, Precision.BF16);
    assertNotEquals(alone, rounded);
    assertEquals(rounded, large("ring-bf16", 3, ring, Precision.BF16));
  }

  private static String large(String output, int ranks, int directRanks, Precision wire)
      throws Exception {
    TrainingRequest request = request(output, ranks);
    RunConfiguration small = request.configuration();
    RunConfiguration large =
        new RunConfiguration(
            "large",
            GptConfiguration.of(3, 2, 160, 16, small.model().vocabularySize()),
            small.data(),
            small.training().toBuilder()
                .steps(4)
                .warmupSteps(1)
                .directRanks(directRanks)
                .wirePrecision(wire)
                .build());
    return new TrainingDriver(session)
        .train(request.withConfiguration(large), new TinyRun.Log())
        .weightsSha256();
  }

  /** Of no job of ours, though Java would write it. */
  private static final class Stranger implements Serializable {
    private static final long serialVersionUID = 1L;
  }

  @Test
  void anExecutorShipsNoObjectOfAClassThatIsNotRegistered() {
    JavaSparkContext context = JavaSparkContext.fromSparkContext(session.sparkContext());
    SparkException refused =
        assertThrows(
            SparkException.class,
            () -> context.parallelize(List.of(1, 2), 2).map(number -> new Stranger()).collect());
    assertTrue(refused.getMessage().contains("Class is not registered"), refused.getMessage());
    assertTrue(refused.getMessage().contains("Stranger"), refused.getMessage());
  }

  /**
   * What a kill cost.
   *
   * @param killedAt the last step of the attempt that the driver heard of
   * @param goesOnFrom the checkpoint from which the next attempt went on
   * @param seconds from the signal to the next attempt's first step
   */
  private record Recovery(int killedAt, int goesOnFrom, double seconds) {
    int lost() {
      return killedAt - goesOnFrom;
    }
  }

  @Test
  void aRunThatLosesARandomExecutorAtARandomStepEndsWithTheSameWeights() throws Exception {
    recoveries(2, new Random(21));
  }

  @Test
  @Tag("soak")
  void twentyRunsThatLoseAnExecutorGoOnWithinSeconds() throws Exception {
    List<Recovery> recoveries = recoveries(KILLS, new Random(Integer.getInteger("kills.seed", 22)));
    double[] seconds = recoveries.stream().mapToDouble(Recovery::seconds).sorted().toArray();
    double nearlyAll = seconds[(int) Math.ceil(0.95 * KILLS) - 1];
    System.out.printf(
        "recovery after SIGKILL: median %.1f s, 95 %% within %.1f s, longest %.1f s%n",
        seconds[KILLS / 2], nearlyAll, seconds[KILLS - 1]);
    System.out.println(PHASES.medians());
    assertTrue(nearlyAll < MOST_SECONDS, recoveries.toString());
  }

  /** The weights of all ranks are gone with one of them, but for the checkpoint. */
  @Test
  void soDoesOneWhoseExecutorsShareTheWeights() throws Exception {
    Random random = new Random(23);
    Killing log = new Killing(1 + random.nextInt(STEPS - 1), random);
    recovery(TinyRun.sharingWeights(request("killed-sharing", 3)), log);
  }

  private static List<Recovery> recoveries(int runs, Random random) throws Exception {
    List<Recovery> recoveries = new ArrayList<>();
    for (int run = 0; run < runs; run++) {
      Killing log = new Killing(1 + random.nextInt(STEPS - 1), random);
      recoveries.add(recovery(request("killed-%d-of-%d".formatted(run, runs), 3), log));
    }
    return recoveries;
  }

  private static Recovery recovery(TrainingRequest request, Killing log) throws Exception {
    RunSummary summary = new TrainingDriver(session).train(request, log);
    assertEquals(3, summary.ranks());
    assertEquals(weights, summary.weightsSha256());
    Recovery recovery = log.recovery();
    System.out.println(recovery + ", " + recovery.lost() + " steps lost");
    assertTrue(recovery.goesOnFrom() >= log.committed, recovery + " after " + log.committed);
    assertTrue(recovery.lost() <= INTERVAL, recovery.toString());
    return recovery;
  }

  /** Kills an executor once, after a step. */
  private static final class Killing extends TinyRun.Log {
    private final int deadlyStep;
    private final Random random;
    private long killed;
    private int killedAt;
    private int committed;
    private long recovered;

    Killing(int deadlyStep, Random random) {
      this.deadlyStep = deadlyStep;
      this.random = random;
    }

    @Override
    public void onStart(TrainingStart start) {
      super.onStart(start);
      PHASES.reach("training starts, from the checkpoint");
    }

    @Override
    public void onStep(StepMetrics metrics) {
      super.onStep(metrics);
      if (killed == 0 && metrics.step() == deadlyStep) {
        committed = checkpoints.isEmpty() ? 0 : checkpoints.get(checkpoints.size() - 1);
        PHASES.begin();
        kill(random);
        killed = System.nanoTime();
      }
      if (starts.size() == 1) {
        killedAt = metrics.step();
      } else if (recovered == 0) {
        recovered = System.nanoTime();
        PHASES.reach("its first step");
      }
    }

    Recovery recovery() {
      assertEquals(2, starts.size(), messages.toString());
      return new Recovery(killedAt, starts.get(1).step(), (recovered - killed) / 1e9);
    }
  }

  private static void kill(Random random) {
    List<ProcessHandle> alive = EXECUTORS.alive();
    alive.get(random.nextInt(alive.size())).destroyForcibly();
  }

  /** Five kills, a checkpoint, five kills: eight in a row would be forgiven. */
  @Test
  @Tag("soak")
  void eachCheckpointAllowsAsManyRestartsAgain() throws Exception {
    TinyRun.Log log =
        new TinyRun.Log() {
          @Override
          public void onStart(TrainingStart start) {
            super.onStart(start);
            if (starts.size() <= 10 && starts.size() != 6) {
              kill(new Random(starts.size()));
            }
          }

          @Override
          public void onCheckpoint(int step, String path) {
            super.onCheckpoint(step, path);
            if (starts.size() == 6 && checkpoints.size() == 1) {
              kill(new Random(0));
            }
          }
        };
    assertEquals(weights, train("refilled", 3, log).weightsSha256());
    assertEquals(11, log.starts.size(), log.messages.toString());
  }

  @ParameterizedTest
  @ValueSource(ints = 21)
  void aRankThatSleptThroughARestartChangesNothingWhenItWakes(int step) throws Exception {
    Sleeping log = new Sleeping(step % 2, step);
    String run = "asleep-" + step;
    assertEquals(weights, train(run, 2, log).weightsSha256());
    assertTrue(log.wasAlive, log.messages.toString());
    assertEquals(2, log.starts.size(), log.messages.toString());
    CheckpointStore store =
        new CheckpointStore(
            RunFolder.of(new Configuration(false), folder.resolve(run).toUri().toString()), 1);
    assertEquals(List.of(STEPS - INTERVAL, STEPS), store.steps());
    for (int kept : store.steps()) {
      store.verify(kept);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {10, 11, 19, 20, 22, 30, 31, 40})
  @Tag("soak")
  void atWhateverStep(int step) throws Exception {
    aRankThatSleptThroughARestartChangesNothingWhenItWakes(step);
  }

  /**
   * Stops the executor of one of two ranks, while the third executor is free for the next attempt,
   * and lets it go on some steps into that one.
   */
  private static final class Sleeping extends TinyRun.Log {
    private final int rank;
    private final int step;
    private ProcessHandle sleeper;
    private boolean wasAlive;

    Sleeping(int rank, int step) {
      this.rank = rank;
      this.step = step;
    }

    @Override
    public void onStep(StepMetrics metrics) {
      super.onStep(metrics);
      if (sleeper == null && metrics.step() == step) {
        sleeper = EXECUTORS.of(EXECUTOR_OF_RANK.get(rank));
        ExecutorProcesses.signal(sleeper, "STOP");
      } else if (!wasAlive && starts.size() == 2 && metrics.step() == starts.get(1).step() + 8) {
        wasAlive = sleeper.isAlive();
        ExecutorProcesses.signal(sleeper, "CONT");
      }
    }
  }

  private static RunSummary train(String output, int ranks, TinyRun.Log log) throws Exception {
    return new TrainingDriver(session).train(request(output, ranks), log);
  }

  private static TrainingRequest request(String output, int ranks) {
    DataConfiguration data =
        DataConfiguration.ofInput(folder.resolve("text.txt").toString(), "char");
    TrainingRequest request =
        TinyRun.request(data, folder.resolve(output)).withRanks(OptionalInt.of(ranks));
    RunConfiguration tiny = request.configuration();
    RunConfiguration longer =
        new RunConfiguration(
            "faults",
            GptConfiguration.of(2, 2, 32, 16, tiny.model().vocabularySize()),
            tiny.data(),
            TinyRun.training(STEPS).toBuilder()
                .evalInterval(0)
                .checkpointInterval(INTERVAL)
                .stepTimeout(STEP_TIMEOUT_SECONDS)
                .build());
    return request.withConfiguration(longer);
  }
}
