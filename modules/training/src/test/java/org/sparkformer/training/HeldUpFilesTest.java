package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FilterFileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.testkit.DyingFileSystem;
import org.sparkformer.testkit.WatchedFiles;
import org.sparkformer.training.configuration.RunConfiguration;

/**
 * A file system that takes its time, fails, or loses an interrupt, at the files that rank 0 has to
 * have before the ranks go on. A checkpoint is written while the next step is computed, which
 * counts once it is committed.
 */
class HeldUpFilesTest extends TinyRuns {
  /** Enough for the first step on a busy machine; it bounds the silence of a rank too. */
  private static final int STEP_TIMEOUT_SECONDS = 3;

  private static final int LONG_SECONDS = 60;

  private final List<Integer> told = Collections.synchronizedList(new ArrayList<>());

  /** Which file it happens at. */
  private enum Place {
    METRICS("/metrics.jsonl"),
    /** What there is of the first checkpoint is looked for, to be removed. */
    ROOM("/step-00000002"),
    COMMIT("/step-00000002/manifest.json"),
    WEIGHTS("/step-00000004/model.safetensors"),
    SUMMARY("/run.json");

    private final String file;

    Place(String file) {
      this.file = file;
    }

    boolean is(Path path) {
      return path.toString().replaceFirst("\\.[0-9a-f-]{36}\\.tmp$", "").endsWith(file);
    }
  }

  @Override
  TokenDataset dataset(java.nio.file.Path data) throws IOException {
    return TinyDataset.open(data, 100, 0);
  }

  /** Nor is a step told of before the checkpoint of the step before it is committed. */
  @ParameterizedTest
  @CsvSource({"ROOM, 1", "ROOM, 3", "COMMIT, 1", "COMMIT, 3"})
  void aFileSystemThatTakesLongerThanAStepMayEndsNoStep(Place place, int ranks) throws Exception {
    List<Integer> toldBefore = new ArrayList<>();
    train(
        place,
        ranks,
        () -> {
          sleep(2 * STEP_TIMEOUT_SECONDS + 1);
          toldBefore.addAll(told);
        });
    assertEquals(List.of(1, 2), toldBefore);
    assertEquals(List.of(1, 2, 3, 4, 5, 6), told);
  }

  /** First by rank 0, which chooses it, and then by the others. */
  @Test
  void aCheckpointMayTakeLongerToReadThanAStepMay() throws Exception {
    RunConfiguration configuration = configuration();
    assertThrows(
        IllegalStateException.class,
        () -> TinyRun.train(run("run", configuration), 2, TinyRuns.stoppingAfter(5)));
    FilterFileSystem slow =
        new FilterFileSystem(DyingFileSystem.local()) {
          @Override
          public FSDataInputStream open(Path file, int bufferSize) throws IOException {
            if (Place.WEIGHTS.is(file)) {
              sleep(STEP_TIMEOUT_SECONDS + 1);
            }
            return super.open(file, bufferSize);
          }
        };
    TrainingRun resumed =
        new TrainingRun(configuration, dataset, new RunFolder(slow, output("run").path()), true);
    assertEquals(6, TinyRun.train(resumed, 2, TrainingListener.NONE).get(0).steps());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aCheckpointThatIsNotCommittedEndsTheStepWithItsCause(int ranks) {
    Fault full =
        () -> {
          throw new IOException("the disk is full");
        };
    IOException failed = assertThrows(IOException.class, () -> train(Place.COMMIT, ranks, full));
    assertTrue(
        failed
            .getMessage()
            .matches("cannot write the checkpoint of step 2 to .*: the disk is full"),
        failed.getMessage());
    assertEquals(List.of(1, 2), told);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void ranksThatAreInterruptedDoNotWaitForTheCommit(int ranks) throws Exception {
    assertEndsWhenInterrupted(Place.COMMIT, ranks, () -> sleep(LONG_SECONDS));
    assertEquals(List.of(1, 2), told);
    assertEquals(List.of(), checkpoints());
  }

  /**
   * Hadoop may lose one while it waits for the output of {@code chmod}.
   *
   * @param toldOf the last step that is told of
   */
  @ParameterizedTest
  @CsvSource({
    "METRICS, 1, 0",
    "METRICS, 3, 0",
    "ROOM, 1, 2",
    "ROOM, 3, 2",
    "COMMIT, 1, 2",
    "COMMIT, 3, 2",
    "SUMMARY, 1, 6",
    "SUMMARY, 3, 6"
  })
  void anInterruptThatTheFileSystemLosesEndsTrainingAndNothingMoreIsCommitted(
      Place place, int ranks, int toldOf) throws Exception {
    assertEndsWhenInterrupted(place, ranks, HeldUpFilesTest::loseAnInterrupt);
    assertEquals(toldOf, told.size());
    assertEquals(toldOf < 6 ? List.of() : List.of(4, 6), checkpoints());
    assertFalse(output("run").exists(RunSummary.FILE_NAME));
  }

  /** Ranks are this thread's, and are interrupted with it. */
  private void assertEndsWhenInterrupted(Place place, int ranks, Fault fault) throws Exception {
    CountDownLatch ended = new CountDownLatch(ranks);
    Thread tests = Thread.currentThread();
    assertThrows(
        InterruptedException.class,
        () ->
            train(
                place,
                ranks,
                ended,
                () -> {
                  tests.interrupt();
                  fault.happen();
                }));
    assertTrue(ended.await(LONG_SECONDS / 2, TimeUnit.SECONDS));
  }

  private static void loseAnInterrupt() throws IOException {
    try {
      TimeUnit.SECONDS.sleep(LONG_SECONDS);
      throw new IOException("nobody has interrupted this thread");
    } catch (InterruptedException lost) {
      // As if it had not come.
    }
  }

  private static void sleep(int seconds) throws IOException {
    try {
      TimeUnit.SECONDS.sleep(seconds);
    } catch (InterruptedException interrupted) {
      throw new InterruptedIOException("interrupted while the file was held up");
    }
  }

  private List<Integer> checkpoints() throws IOException {
    return new CheckpointStore(output("run"), 2).steps();
  }

  private static RunConfiguration configuration() {
    return TinyRun.configuration(
        TinyRun.training()
            .checkpointInterval(2)
            .evalInterval(0)
            .logInterval(1)
            .stepTimeout(STEP_TIMEOUT_SECONDS)
            .build(),
        0);
  }

  private void train(Place place, int ranks, Fault fault) throws Exception {
    train(place, ranks, new CountDownLatch(ranks), fault);
  }

  private void train(Place place, int ranks, CountDownLatch ended, Fault fault) throws Exception {
    TrainingRun run =
        new TrainingRun(
            configuration(),
            dataset,
            new RunFolder(
                new FaultyFiles(DyingFileSystem.local(), place, fault), output("run").path()),
            true);
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void onStep(StepMetrics metrics) {
            told.add(metrics.step());
          }
        };
    TinyRun.train(run, ranks, listener, rank -> new Ending(ended));
  }

  private interface Fault {
    void happen() throws IOException;
  }

  /** Local disks on which something happens once. */
  private static final class FaultyFiles extends WatchedFiles {
    private final Place place;
    private Fault fault;

    FaultyFiles(FileSystem files, Place place, Fault fault) {
      super(files);
      this.place = place;
      this.fault = fault;
    }

    @Override
    protected void beforeCreate(Path file) throws IOException {
      pass(file);
    }

    @Override
    public FileStatus getFileStatus(Path path) throws IOException {
      if (place == Place.ROOM) {
        pass(path);
      }
      return super.getFileStatus(path);
    }

    private void pass(Path path) throws IOException {
      if (place.is(path) && fault != null) {
        Fault now = fault;
        fault = null;
        now.happen();
      }
    }
  }
}
