package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.data.CausalSamples;
import org.sparkformer.data.Split;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.AdamW;
import org.sparkformer.tensor.ops.Operation;
import org.sparkformer.tensor.reference.JavaBackend;
import org.sparkformer.testkit.DyingFileSystem;
import org.sparkformer.testkit.WatchedFiles;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** Sequences of letters that the words do not have are in the batch of one step, or of many. */
class LossSpikeTest {
  private static final int STEPS = 150;
  private static final int WINDOW = 20;
  private static final int POISONED = 140;
  private static final int WORDS = 1700;

  private static final TrainingConfiguration TRAINING =
      TinyRun.training()
          .steps(STEPS)
          .evalInterval(0)
          .checkpointInterval(25)
          .logInterval(1)
          .spikeSigma(5)
          .spikeWindow(WINDOW)
          .build();

  private static final TrainingConfiguration UNWATCHED = TRAINING.toBuilder().spikeSigma(0).build();

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"1, 1", "1, 2", "3, 2"})
  void theBatchOfASpikeIsSkippedByAllRanksAsIfItHadNeverBeen(int stage, int ranks)
      throws Exception {
    try (TokenDataset dataset = poisoned(POISONED, POISONED)) {
      List<String> messages = new ArrayList<>();
      TrainingConfiguration training = TRAINING.toBuilder().zeroStage(stage).build();
      RunSummary watched = train(run("watched", training, dataset), ranks, messages);
      assertEquals(List.of(POISONED), watched.skippedSteps());
      assertEquals(1, messages.size(), messages.toString());
      assertTrue(
          messages.get(0).startsWith("step 140: its loss of ")
              && messages.get(0).endsWith("; its batch is skipped"),
          messages.toString());
      assertEquals(weightsWithout(dataset, POISONED, POISONED), watched.weightsSha256());
      assertNotEquals(
          train(run("poisoned", UNWATCHED, dataset), 1, messages).weightsSha256(),
          watched.weightsSha256());
      assertEquals(skippedSoFar(), counts("watched"));
    }
  }

  private static List<Integer> skippedSoFar() {
    return IntStream.rangeClosed(1, STEPS).mapToObj(step -> step < POISONED ? 0 : 1).toList();
  }

  /** Before, at and after the spike; on other numbers of ranks. */
  @ParameterizedTest
  @CsvSource({"139, 1, 2", "141, 2, 1", "146, 1, 3"})
  void aRunThatIsResumedSkipsTheSame(int stop, int before, int after) throws Exception {
    try (TokenDataset dataset = poisoned(POISONED, POISONED)) {
      TrainingConfiguration often =
          TRAINING.toBuilder().checkpointInterval(5).keepCheckpoints(6).build();
      RunSummary straight = train(run("straight", TRAINING, dataset), 1, new ArrayList<>());
      assertThrows(
          IllegalStateException.class,
          () -> TinyRun.train(run("broken", often, dataset), before, TinyRuns.stoppingAfter(stop)));
      RunSummary resumed = train(run("broken", often, dataset), after, new ArrayList<>());
      assertEquals(straight.weightsSha256(), resumed.weightsSha256());
      assertEquals(List.of(POISONED), resumed.skippedSteps());
      assertEquals(counts("straight"), counts("broken"));
    }
  }

  /** The weights go bad in step 135: what follows are spikes, whatever the batch. */
  @ParameterizedTest
  @CsvSource({"1, 1", "1, 2", "3, 2"})
  void spikesInARowGoBackToACheckpointAndSkipWhatLedToThem(int stage, int ranks) throws Exception {
    try (TokenDataset dataset = poisoned(1, 0)) {
      List<String> messages = new ArrayList<>();
      RunSummary recovered =
          TinyRun.train(
                  run("recovered", TRAINING.toBuilder().zeroStage(stage).build(), dataset),
                  ranks,
                  TinyRuns.messages(messages),
                  rank -> new Spoiling(135))
              .get(0);
      int first = 136 - WINDOW;
      assertEquals(IntStream.rangeClosed(first, 140).boxed().toList(), recovered.skippedSteps());
      assertTrue(
          messages.contains(
              "the loss of the steps 136 to 140 was a spike each: going back to step 100, and skipping the steps from 116 on"),
          messages.toString());
      assertEquals(weightsWithout(dataset, first, 140), recovered.weightsSha256());
    }
  }

  /** Before the first checkpoint that could be gone back to. */
  @Test
  void earlySpikesGoBackToTheStart() throws Exception {
    try (TokenDataset dataset = poisoned(1, 0)) {
      TrainingConfiguration seldom = TRAINING.toBuilder().checkpointInterval(100).build();
      RunSummary recovered =
          TinyRun.train(
                  run("recovered", seldom, dataset),
                  1,
                  TrainingListener.NONE,
                  rank -> new Spoiling(105))
              .get(0);
      int first = 106 - WINDOW;
      assertEquals(IntStream.rangeClosed(first, 110).boxed().toList(), recovered.skippedSteps());
      assertEquals(weightsWithout(dataset, first, 110), recovered.weightsSha256());
    }
  }

  /** The step that the checkpoint was taken after is the fourth spike. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void aCheckpointThatCannotBeWrittenBehindSpikesIsTold(int ranks) throws Exception {
    try (TokenDataset dataset = poisoned(1, 0)) {
      WatchedFiles full =
          new WatchedFiles(DyingFileSystem.local()) {
            @Override
            protected void beforeCreate(org.apache.hadoop.fs.Path file) throws IOException {
              if (file.toString().contains("step-00000139/model.safetensors")) {
                throw new IOException("no room for " + file.getName());
              }
            }
          };
      TrainingRun run =
          new TrainingRun(
              TinyRun.configuration(TRAINING.toBuilder().checkpointInterval(139).build(), 0.1),
              dataset,
              new RunFolder(full, new org.apache.hadoop.fs.Path(folder.resolve("full").toUri())),
              true);
      Exception failure =
          assertThrows(
              Exception.class,
              () -> TinyRun.train(run, ranks, TrainingListener.NONE, rank -> new Spoiling(135)));
      assertTrue(failure.getMessage().contains("no room for model"), failure.toString());
    }
  }

  @Test
  void spikesThatGoingBackDoesNotEndAreAFailure() throws Exception {
    try (TokenDataset dataset = poisoned(POISONED, STEPS)) {
      List<String> messages = new ArrayList<>();
      LossSpikeException failure =
          assertThrows(
              LossSpikeException.class, () -> train(run("run", TRAINING, dataset), 2, messages));
      assertTrue(
          failure
              .getMessage()
              .startsWith("the loss of the steps 120 to 145 was a spike each: lower "),
          failure.getMessage());
      assertEquals(1, messages.stream().filter(text -> text.contains("going back")).count());
    }
  }

  /** Poison for all six sequences of each of these steps. */
  private TokenDataset poisoned(int first, int last) throws Exception {
    List<Long> positions = new ArrayList<>();
    try (TokenDataset sound = dataset("sound", List.of())) {
      CausalSamples samples =
          new CausalSamples(
              sound,
              Split.TRAIN,
              TinyRun.configuration(TRAINING, 0).model().context(),
              TRAINING.seed());
      for (int step = first; step <= last; step++) {
        for (int sample = 0; sample < TRAINING.batchSize(); sample++) {
          // The window's first token is what the window before it ends with.
          positions.add(samples.position((step - 1L) * TRAINING.batchSize() + sample) + 1);
        }
      }
    }
    return dataset("poisoned", positions);
  }

  private TokenDataset dataset(String name, List<Long> poisoned) throws Exception {
    return TinyDataset.open(
        Files.createDirectory(folder.resolve(name + "-data")), WORDS, 0, poisoned);
  }

  private TrainingRun run(String name, TrainingConfiguration training, TokenDataset dataset)
      throws Exception {
    return new TrainingRun(
        TinyRun.configuration(training, 0.1),
        dataset,
        RunFolder.of(new Configuration(false), folder.resolve(name).toUri().toString()),
        true);
  }

  /** Of a run that nobody watches, with the updates of some steps left out. */
  private String weightsWithout(TokenDataset dataset, int first, int last) throws Exception {
    TrainingRun run = run("without", UNWATCHED, dataset);
    return TinyRun.train(run, 1, TrainingListener.NONE, rank -> new Without(first, last))
        .get(0)
        .weightsSha256();
  }

  private static RunSummary train(TrainingRun run, int ranks, List<String> messages)
      throws Exception {
    IntFunction<Backend> backends = rank -> new JavaBackend(1);
    return TinyRun.train(run, ranks, TinyRuns.messages(messages), backends).get(0);
  }

  private List<Integer> counts(String name) throws Exception {
    List<Integer> counts = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve(name).resolve("metrics.jsonl"))) {
      counts.add(Json.tree(line.getBytes()).get("skipped").asInt());
    }
    return counts;
  }

  /** Leaves the updates of some steps out. */
  private static final class Without extends ForwardingBackend {
    private final int first;
    private final int last;

    Without(int first, int last) {
      super(new JavaBackend(1));
      this.first = first;
      this.last = last;
    }

    @Override
    public void run(Operation operation) {
      boolean left =
          operation instanceof AdamW update
              && update.settings().step() >= first
              && update.settings().step() <= last;
      if (!left) {
        super.run(operation);
      }
    }
  }

  /** Turns the weights round after the update of one step. */
  private static final class Spoiling extends ForwardingBackend {
    private final int step;

    Spoiling(int step) {
      super(new JavaBackend(1));
      this.step = step;
    }

    @Override
    public void run(Operation operation) {
      super.run(operation);
      if (operation instanceof AdamW update && update.settings().step() == step) {
        Tensor weights = update.parameters();
        float[] values = readFloats(weights);
        for (int i = 0; i < values.length; i++) {
          values[i] *= -3;
        }
        write(weights, values);
      }
    }
  }
}
