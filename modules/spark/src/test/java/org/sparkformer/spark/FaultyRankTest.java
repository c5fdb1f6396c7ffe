package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.spark.DebuggedExecutors.Place;
import org.sparkformer.testkit.StoppedThread.Floats;
import org.sparkformer.training.CheckpointStore;
import org.sparkformer.training.RunFolder;
import org.sparkformer.training.RunSummary;
import org.sparkformer.training.StepMetrics;
import org.sparkformer.training.TrainingStart;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.RunConfiguration;
import org.sparkformer.training.configuration.TrainingConfigurationBuilder;

/**
 * Executors that are processes, one of which computes something wrong, forgets a bit of what it
 * knows, or is slow: faults that end no process. Of the four micro-batches of a step the first is
 * rank 0's, and the last the last rank's.
 */
class FaultyRankTest {
  private static final int STEPS = 12;
  private static final int INTERVAL = 4;

  /** Later than a checkpoint, earlier than what is logged or written next. */
  private static final int FAULTY_STEP = 6;

  private static final long SLOW_MILLISECONDS = 1000;
  private static final int STEP_TIMEOUT_SECONDS = 5;

  /** Whoever notices first: the rank itself, or one that waits for it. */
  private static final Pattern STUCK =
      Pattern.compile(
          "(rank 2 of 3: has not moved for|[a-z -]+ \\d+: no frame for .* not heard from: rank 2;).*"
              + "last known: rank 0: step 6, .*; rank 1: step 6, .*; rank 2: step 6, "
              + "forward and backward of micro-batch \\d .*going on from the newest checkpoint");

  private static SparkSession session;
  private static DebuggedExecutors executors;
  private static String weights;
  @TempDir static Path folder;

  @BeforeAll
  static void start() throws Exception {
    session = DebuggedExecutors.open("local-cluster[3,1,1024]");
    TinyRun.text(folder);
    weights = train("undisturbed", 3, run(training()), new TinyRun.Log()).weightsSha256();
    executors = DebuggedExecutors.attach();
  }

  @AfterAll
  static void stop() {
    executors.close();
    session.stop();
  }

  /**
   * In the bucket that leaves first, while the backward pass goes on, or in the last. Also where
   * losses are looked at for spikes: what is not finite is none.
   */
  @ParameterizedTest
  @CsvSource({"2, 3, 6000, NaN, 0, true", "3, 0, 0, Infinity, 0, false", "3, 1, 0, NaN, 10, true"})
  void aGradientThatIsNotFiniteOnOneRankStopsTheUpdateOnAll(
      int ranks, int microBatch, int parameter, float value, double sigma, boolean overlap)
      throws Exception {
    String name = "not-finite-" + microBatch;
    RunConfiguration run =
        run(
            training()
                .logInterval(STEPS)
                .keepCheckpoints(INTERVAL)
                .spikeSigma(sigma)
                .spikeWindow(INTERVAL)
                .overlap(overlap));
    SeenWeights seen = new SeenWeights(ranks);
    executors.atEachSum(seen::add);
    Consumer<Place> poison =
        once(FAULTY_STEP, microBatch, place -> place.gradients().set(parameter, value));
    TrainingFailedException failed =
        assertThrows(
            TrainingFailedException.class,
            () -> train(name, ranks, run, new TinyRun.Log(), poison));
    String cause = "the gradient norm of step %d is %s: ".formatted(FAULTY_STEP, value);
    assertTrue(failed.getMessage().contains(cause), failed.getMessage());
    assertEquals(List.of(INTERVAL), checkpoints(name));
    assertNotEquals(seen.before(FAULTY_STEP - 1), seen.before(FAULTY_STEP));
    assertEquals(seen.before(FAULTY_STEP), seen.before(FAULTY_STEP + 1));
    assertNotEquals(seen.before(FAULTY_STEP + 1), seen.before(FAULTY_STEP + 2));
    assertEquals(weights, train(name, ranks, run, new TinyRun.Log()).weightsSha256());
  }

  /** In its copy of a weight: without overlap all are there before the passes. */
  @ParameterizedTest
  @CsvSource({"0, 0, 31", "3, 2, 12"})
  void aBitFlippedInOneExecutorNamesItsRankAndTheRunEndsWithTheSameWeights(
      int microBatch, int rank, int bit) throws Exception {
    TinyRun.Log log = new TinyRun.Log();
    RunSummary summary =
        train(
            "flipped-" + rank,
            3,
            run(training().digestInterval(FAULTY_STEP / 2).overlap(false)),
            log,
            once(FAULTY_STEP, microBatch, place -> flip(place.weights(), bit)));
    String cause =
        "before the update of step %d rank %d holds other weights than most: "
            .formatted(FAULTY_STEP, rank);
    assertTrue(
        log.messages.stream()
            .anyMatch(text -> text.contains(cause) && text.contains("; going on from the newest")),
        log.messages.toString());
    assertEquals(List.of(0, INTERVAL), startsOf(log));
    assertEquals(weights, summary.weightsSha256());
  }

  /** In the first computation of its gradients, or in the second. */
  @ParameterizedTest
  @CsvSource({"0, 0, 1", "3, 2, 2"})
  void aBitFlippedInAGradientNamesItsRankAndTheRunEndsWithTheSameWeights(
      int microBatch, int rank, int computation) throws Exception {
    TinyRun.Log log = new TinyRun.Log();
    AtomicInteger computations = new AtomicInteger();
    RunSummary summary =
        train(
            "flipped-gradient-" + rank,
            3,
            run(training().gradientCheckInterval(FAULTY_STEP / 2)),
            log,
            at(
                FAULTY_STEP,
                microBatch,
                place -> {
                  if (computations.incrementAndGet() == computation) {
                    flip(place.gradients(), 30);
                  }
                }));
    Pattern cause =
        Pattern.compile(
            "rank %d of 3 on .*: the gradients of step %d, computed twice .* going on from the newest"
                .formatted(rank, FAULTY_STEP));
    assertTrue(
        log.messages.stream().anyMatch(text -> cause.matcher(text).lookingAt()),
        log.messages.toString());
    assertEquals(List.of(0, INTERVAL), startsOf(log));
    assertEquals(weights, summary.weightsSha256());
  }

  @Test
  void aSlowExecutorShowsInTheMetricsThoughAllRanksWaitForIt() throws Exception {
    List<StepMetrics> told = new CopyOnWriteArrayList<>();
    TinyRun.Log log =
        new TinyRun.Log() {
          @Override
          public void onStep(StepMetrics metrics) {
            told.add(metrics);
          }
        };
    AtomicLong slept = new AtomicLong();
    Consumer<Place> slowness = once(FAULTY_STEP, 3, place -> slept.set(sleepLong(told)));
    train("slow", 3, run(training()), log, slowness);
    StepMetrics slow = told.get(FAULTY_STEP - 1);
    assertEquals(FAULTY_STEP, slow.step());
    assertTrue(slow.stepMs() >= slept.get(), slow.toString());
    List<Double> ranks = slow.rankStepMs();
    assertEquals(3, ranks.size());
    assertTrue(ranks.get(2) >= slept.get(), ranks.toString());
    // Who waits for it is not taken for slow, not even by half.
    assertTrue(ranks.get(0) < slept.get() / 2.0, ranks + " of " + slept);
    assertTrue(ranks.get(1) < slept.get() / 2.0, ranks + " of " + slept);
  }

  /** Its process lives and shows it; only its step does not move. */
  @Test
  void aRankThatIsStuckIsNamedWithWhatEachDidAndTheRunEndsWithTheSameWeights() throws Exception {
    TinyRun.Log log = new TinyRun.Log();
    RunSummary summary =
        train(
            "stuck",
            3,
            run(training().stepTimeout(STEP_TIMEOUT_SECONDS)),
            log,
            once(FAULTY_STEP, 3, place -> sleep(2500L * STEP_TIMEOUT_SECONDS)));
    String ended = log.messages.stream().filter(STUCK.asPredicate()).findFirst().orElse("");
    assertFalse(ended.isEmpty(), log.messages.toString());
    assertEquals(List.of(0, INTERVAL), startsOf(log));
    assertEquals(weights, summary.weightsSha256());
  }

  /**
   * Ten times what any rank's own work took in a step so far, but for the first steps, which
   * compile; at least a second.
   *
   * @return milliseconds
   */
  private static long sleepLong(List<StepMetrics> told) {
    double slowest =
        told.stream()
            .skip(2)
            .flatMap(step -> step.rankStepMs().stream())
            .mapToDouble(Double::doubleValue)
            .max()
            .orElseThrow();
    long milliseconds = Math.max(SLOW_MILLISECONDS, Math.round(10 * slowest));
    sleep(milliseconds);
    return milliseconds;
  }

  /**
   * Five batches in a row of what the others do not have. The second time the gang has to start
   * again as well, some steps after it has gone back.
   */
  @Test
  void spikesInARowGoBackAndAreSkippedTheSameWayAgain() throws Exception {
    TrainingConfigurationBuilder training =
        training()
            .steps(60)
            .checkpointInterval(10)
            .keepCheckpoints(6)
            .learningRate(1e-2)
            .spikeSigma(10)
            .spikeWindow(20);
    RunConfiguration run = spiky(training, 41, 45);
    TinyRun.Log log = new TinyRun.Log();
    SeenWeights seen = new SeenWeights(3);
    executors.atEachSum(seen::add);
    RunSummary first = train("spiky", 3, run, log, place -> {});
    assertEquals(IntStream.rangeClosed(21, 45).boxed().toList(), first.skippedSteps());
    assertTrue(
        log.messages.contains(
            "the loss of the steps 41 to 45 was a spike each: going back to step 20, and skipping the steps from 21 on"),
        log.messages.toString());
    assertNotEquals(seen.before(21), seen.before(41));
    assertEquals(seen.before(21), seen.before(46));

    TinyRun.Log again = new TinyRun.Log();
    Consumer<Place> flip = once(48, 3, place -> flip(place.weights(), 12));
    RunSummary second =
        train(
            "spiky-again",
            2,
            spiky(training.digestInterval(1).overlap(false), 41, 45),
            again,
            flip);
    assertEquals(List.of(0, 20, 40), startsOf(again));
    assertEquals(first.skippedSteps(), second.skippedSteps());
    assertEquals(first.weightsSha256(), second.weightsSha256());
  }

  private static RunConfiguration spiky(TrainingConfigurationBuilder training, int from, int to)
      throws Exception {
    RunConfiguration sound = run(training);
    String dataset = folder.resolve("undisturbed/dataset").toUri().toString();
    Path text = SpikyText.write(folder, dataset, sound, from, to);
    return new RunConfiguration(
        "spiky",
        GptConfiguration.of(2, 2, 16, sound.model().context(), SpikyText.LETTERS),
        DataConfiguration.ofInput(text.toString(), "char"),
        sound.training());
  }

  /** Does something the first time that a rank is there, and nothing after a restart. */
  private static Consumer<Place> once(int step, int microBatch, Consumer<Place> fault) {
    AtomicBoolean done = new AtomicBoolean();
    return at(
        step,
        microBatch,
        place -> {
          if (done.compareAndSet(false, true)) {
            fault.accept(place);
          }
        });
  }

  /** Does something each time that a rank is there. */
  private static Consumer<Place> at(int step, int microBatch, Consumer<Place> action) {
    return place -> {
      if (place.step() == step && place.microBatch() == microBatch) {
        action.accept(place);
      }
    };
  }

  private static void flip(Floats floats, int bit) {
    int bits = Float.floatToRawIntBits(floats.get(5)) ^ 1 << bit;
    floats.set(5, Float.intBitsToFloat(bits));
  }

  private static void sleep(long milliseconds) {
    try {
      Thread.sleep(milliseconds);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static TrainingConfigurationBuilder training() {
    return TinyRun.training(STEPS).toBuilder().evalInterval(0).checkpointInterval(INTERVAL);
  }

  private static RunConfiguration run(TrainingConfigurationBuilder training) {
    return TinyRun.request(folder, "unused", training.build()).configuration();
  }

  private static RunSummary train(
      String output, int ranks, RunConfiguration run, TinyRun.Log log, Consumer<Place> debugging)
      throws Exception {
    executors.atEachMicroBatch(debugging);
    try {
      return train(output, ranks, run, log);
    } finally {
      executors.leaveAlone();
    }
  }

  private static RunSummary train(String output, int ranks, RunConfiguration run, TinyRun.Log log)
      throws Exception {
    TrainingRequest request =
        TinyRun.request(run.data(), folder.resolve(output))
            .withConfiguration(run)
            .withRanks(OptionalInt.of(ranks));
    return new TrainingDriver(session).train(request, log);
  }

  private static List<Integer> startsOf(TinyRun.Log log) {
    return log.starts.stream().map(TrainingStart::step).toList();
  }

  private static List<Integer> checkpoints(String run) throws Exception {
    String uri = folder.resolve(run).toUri().toString();
    return new CheckpointStore(RunFolder.of(new Configuration(false), uri), 1).steps();
  }
}
