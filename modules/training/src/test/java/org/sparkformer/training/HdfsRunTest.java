package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.hdfs.HdfsConfiguration;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.testkit.DyingFileSystem;
import org.sparkformer.training.configuration.TrainingConfiguration;

class HdfsRunTest {
  private static final int WRITERS = 4;
  private static final int ROUNDS = 5;

  @TempDir Path folder;

  @TempDir static Path dfs;
  private static MiniDFSCluster cluster;
  private static FileSystem hdfs;

  @BeforeAll
  static void start() throws Exception {
    Configuration hadoop = new HdfsConfiguration();
    hadoop.setBoolean("dfs.namenode.redundancy.considerLoad", false);
    cluster = new MiniDFSCluster.Builder(hadoop, dfs.toFile()).numDataNodes(1).build();
    hdfs = cluster.getFileSystem();
  }

  @AfterAll
  static void stop() {
    cluster.shutdown();
  }

  @Test
  void deathAtAChangeLeavesTheNewestCommittedCheckpoint() throws Exception {
    CheckpointFaults.assertTheNewestCommittedIsRestored(
        fatal -> DyingFileSystem.of(hdfs, fatal), hdfs, inHdfs("/some-deaths"), 5);
  }

  @Test
  @Tag("soak")
  void deathAtAnyChangeLeavesTheNewestCommittedCheckpoint() throws Exception {
    CheckpointFaults.assertTheNewestCommittedIsRestored(
        fatal -> DyingFileSystem.of(hdfs, fatal), hdfs, inHdfs("/deaths"));
  }

  @Test
  @Tag("soak")
  void oneFailureAnywhereLeavesTheNewestCommittedCheckpoint() throws Exception {
    CheckpointFaults.assertTheNewestCommittedIsRestored(
        operation -> DyingFileSystem.failingOnce(hdfs, operation), hdfs, inHdfs("/failures"));
  }

  @Test
  @Tag("soak")
  void aFailureAnywhereOfARestoreLosesNothing() throws Exception {
    try (TokenDataset dataset =
        TinyDataset.open(Files.createDirectory(folder.resolve("data")), 100, 40)) {
      RestoreFaults.assertNothingIsLost(
          dataset,
          operation -> DyingFileSystem.failingOnce(hdfs, operation),
          hdfs,
          inHdfs("/restores"),
          1);
    }
  }

  private static org.apache.hadoop.fs.Path inHdfs(String path) {
    return new org.apache.hadoop.fs.Path(path);
  }

  /** Each a client of its own, round after round. */
  @Test
  void ofManyThatComeAtOnceOneAloneGetsTheFolder() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(WRITERS);
    List<RunFolder> folders = new ArrayList<>();
    for (int writer = 0; writer < WRITERS; writer++) {
      FileSystem client = FileSystem.newInstance(hdfs.getUri(), hdfs.getConf());
      folders.add(new RunFolder(client, inHdfs("/runs/contested")));
    }
    for (int round = 1; round <= ROUNDS; round++) {
      List<Callable<RunLease>> writers =
          folders.stream().<Callable<RunLease>>map(folder -> () -> acquire(folder)).toList();
      List<RunLease> held = new ArrayList<>();
      for (Future<RunLease> writer : threads.invokeAll(writers)) {
        try {
          held.add(writer.get());
        } catch (ExecutionException refused) {
          assertTrue(refused.getCause() instanceof RunInUseException, refused::toString);
        }
      }
      assertEquals(1, held.size());
      assertEquals(round, held.get(0).token());
      held.get(0).requireHeld();
      held.get(0).close();
    }
    threads.shutdown();
    for (RunFolder folder : folders) {
      folder.fileSystem().close();
    }
  }

  private static RunLease acquire(RunFolder folder) throws IOException {
    return RunLease.acquire(folder, "test", Duration.ofSeconds(5), message -> {});
  }

  @Test
  void aRunOnHdfsResumesToTheBitsOfALocalOne() throws Exception {
    Path data = Files.createDirectory(folder.resolve("data"));
    try (TokenDataset dataset = TinyDataset.open(data, 100, 40)) {
      RunFolder local =
          RunFolder.of(new Configuration(false), folder.resolve("local").toUri().toString());
      RunFolder remote = new RunFolder(hdfs, inHdfs("/runs/remote"));
      RunSummary straight = TinyRun.train(run(dataset, local), 1, TrainingListener.NONE).get(0);
      assertThrows(
          IllegalStateException.class, () -> TinyRun.train(run(dataset, remote), 1, stopAt(5)));
      RunSummary resumed = TinyRun.train(run(dataset, remote), 2, TrainingListener.NONE).get(0);
      assertEquals(straight.weightsSha256(), resumed.weightsSha256());
      assertEquals(List.of(4, 6), new CheckpointStore(remote, 2).steps());
      assertEquals(6 + 2, text(remote, "metrics.jsonl").lines().count());
      assertTrue(text(remote, RunSummary.FILE_NAME).contains(straight.weightsSha256()));
      replacesAndRefuses(remote);
    }
  }

  private static void replacesAndRefuses(RunFolder folder) throws Exception {
    folder.commit("note", new byte[] {'a'});
    assertThrows(IOException.class, () -> folder.commit("note", new byte[] {'b'}));
    assertEquals("a", text(folder, "note"));
    folder.replace("note", new byte[] {'c'});
    assertEquals("c", text(folder, "note"));
  }

  private static TrainingRun run(TokenDataset dataset, RunFolder folder) {
    TrainingConfiguration training =
        TinyRun.training().checkpointInterval(2).logInterval(1).build();
    return new TrainingRun(TinyRun.configuration(training, 0.1), dataset, folder, true);
  }

  private static TrainingListener stopAt(int step) {
    return new TrainingListener() {
      @Override
      public void onStep(StepMetrics metrics) {
        if (metrics.step() == step) {
          throw new IllegalStateException("stopped");
        }
      }
    };
  }

  private static String text(RunFolder folder, String name) throws Exception {
    return new String(folder.read(name).orElseThrow(), StandardCharsets.UTF_8);
  }
}
