package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FilterFileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.data.TokenDataset;

/** What a checkpoint begins with: rank 0 removes what there is of it, and no rank stands still. */
class MakingRoomTest extends TinyRuns {
  private static final int STEP_TIMEOUT_SECONDS = 2;
  private static final int LONG_SECONDS = 60;

  private final List<Integer> told = Collections.synchronizedList(new ArrayList<>());

  @Override
  TokenDataset dataset(java.nio.file.Path data) throws IOException {
    return TinyDataset.open(data, 100, 0);
  }

  /** Hadoop may lose one while it waits for the output of {@code chmod}. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void anInterruptThatTheFileSystemLosesEndsTrainingAndNothingIsCommitted(int ranks)
      throws Exception {
    CountDownLatch ended = new CountDownLatch(ranks);
    Thread tests = Thread.currentThread();
    assertThrows(
        InterruptedException.class,
        () ->
            train(
                ranks,
                ended,
                () -> {
                  tests.interrupt();
                  loseAnInterrupt();
                }));
    assertTrue(ended.await(LONG_SECONDS / 2, TimeUnit.SECONDS));
    assertEquals(List.of(1, 2), told);
    assertEquals(List.of(), new CheckpointStore(output("run"), 1).steps());
  }

  private static void loseAnInterrupt() throws IOException {
    try {
      TimeUnit.SECONDS.sleep(LONG_SECONDS);
      throw new IOException("nobody has interrupted this thread");
    } catch (InterruptedException lost) {
      // As if it had not come.
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aFileSystemThatTakesLongerThanAStepMayEndsNoStep(int ranks) throws Exception {
    List<Integer> toldBefore = new ArrayList<>();
    train(
        ranks,
        new CountDownLatch(ranks),
        () -> {
          sleep(2 * STEP_TIMEOUT_SECONDS + 1);
          toldBefore.addAll(told);
        });
    assertEquals(List.of(1, 2), toldBefore);
    assertEquals(List.of(1, 2, 3, 4, 5, 6), told);
  }

  private static void sleep(int seconds) throws IOException {
    try {
      TimeUnit.SECONDS.sleep(seconds);
    } catch (InterruptedException interrupted) {
      throw new InterruptedIOException("interrupted while room was made");
    }
  }

  private void train(int ranks, CountDownLatch ended, Fault fault) throws Exception {
    TrainingRun run =
        new TrainingRun(
            TinyRun.configuration(
                TinyRun.training()
                    .checkpointInterval(2)
                    .evalInterval(0)
                    .logInterval(1)
                    .stepTimeout(STEP_TIMEOUT_SECONDS)
                    .build(),
                0),
            dataset,
            new RunFolder(new FaultyFiles(DyingFileSystem.local(), fault), output("run").path()),
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

  /** Local disks on which something happens when the first checkpoint's folder is looked for. */
  private static final class FaultyFiles extends FilterFileSystem {
    private final Fault fault;

    FaultyFiles(FileSystem files, Fault fault) {
      super(files);
      this.fault = fault;
    }

    @Override
    public FileStatus getFileStatus(Path path) throws IOException {
      if (path.getName().equals("step-00000002")) {
        fault.happen();
      }
      return super.getFileStatus(path);
    }
  }
}
