package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FilterFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.data.TokenDataset;

/** A checkpoint is written while the next step is computed, which counts once it is committed. */
class CommitTest {
  private static final int STEP_TIMEOUT_SECONDS = 2;
  private static final int LONG_SECONDS = 60;

  @TempDir java.nio.file.Path folder;
  private final List<Integer> told = Collections.synchronizedList(new ArrayList<>());
  private TokenDataset dataset;

  @BeforeEach
  void buildDataset() throws Exception {
    dataset = TinyDataset.open(Files.createDirectory(folder.resolve("data")), 100, 0);
  }

  @AfterEach
  void close() throws Exception {
    dataset.close();
  }

  /** Nor does a file system that takes longer than a step may end the step. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aStepIsToldOfOnceTheCheckpointOfTheStepBeforeItIsCommitted(int ranks) throws Exception {
    List<Integer> toldBefore = new ArrayList<>();
    train(
        ranks,
        () -> {
          sleep(2 * STEP_TIMEOUT_SECONDS + 1);
          toldBefore.addAll(told);
        });
    assertEquals(List.of(1, 2), toldBefore);
    assertEquals(List.of(1, 2, 3, 4, 5, 6), told);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aCheckpointThatIsNotCommittedEndsTheStepWithItsCause(int ranks) {
    IOException failed =
        assertThrows(
            IOException.class,
            () ->
                train(
                    ranks,
                    () -> {
                      throw new IOException("the disk is full");
                    }));
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
                  sleep(LONG_SECONDS);
                }));
    assertTrue(ended.await(LONG_SECONDS / 2, TimeUnit.SECONDS));
    assertEquals(List.of(), new CheckpointStore(output(DyingFileSystem.local()), 1).steps());
    assertEquals(List.of(1, 2), told);
  }

  private static void sleep(int seconds) throws IOException {
    try {
      TimeUnit.SECONDS.sleep(seconds);
    } catch (InterruptedException interrupted) {
      throw new InterruptedIOException("interrupted while the commit was held up");
    }
  }

  private void train(int ranks, Fault beforeCommit) throws Exception {
    train(ranks, new CountDownLatch(ranks), beforeCommit);
  }

  private void train(int ranks, CountDownLatch ended, Fault beforeCommit) throws Exception {
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
            output(new HeldFiles(DyingFileSystem.local(), beforeCommit)),
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

  private RunFolder output(FileSystem files) {
    return new RunFolder(files, new Path(folder.resolve("run").toUri()));
  }

  private interface Fault {
    void happen() throws IOException;
  }

  /** Local disks on which something happens before the first checkpoint's manifest is written. */
  private static final class HeldFiles extends FilterFileSystem {
    private static final String COMMIT = "step-00000002/" + CheckpointManifest.FILE_NAME;

    private final Fault fault;

    HeldFiles(FileSystem files, Fault fault) {
      super(files);
      this.fault = fault;
    }

    @Override
    public FSDataOutputStream create(
        Path file,
        FsPermission permission,
        boolean overwrite,
        int bufferSize,
        short replication,
        long blockSize,
        Progressable progress)
        throws IOException {
      if (file.toString().contains(COMMIT)) {
        fault.happen();
      }
      return super.create(
          file, permission, overwrite, bufferSize, replication, blockSize, progress);
    }
  }
}
