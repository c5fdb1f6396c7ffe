package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.Utils;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.data.Split;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.testkit.LoggedProcess;
import org.sparkformer.training.CheckpointStore;
import org.sparkformer.training.RunFolder;
import org.sparkformer.training.RunSummary;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.RunConfiguration;

/**
 * Text, shards, checkpoints and metrics on HDFS, whose clients are executor processes on the host
 * of a datanode.
 */
class HdfsClusterTest {
  private static final int STEPS = 20;
  private static final int DATANODE_DIES_AT = 4;
  private static final int EXECUTOR_DIES_AT = 10;

  @TempDir private Path folder;

  private final ClassLoader loader = Thread.currentThread().getContextClassLoader();

  /** HDFS leaves that of its web pages, which would load our classes anew for later tests. */
  @AfterEach
  void giveTheClassLoaderBack() {
    Thread.currentThread().setContextClassLoader(loader);
  }

  @Test
  void aRunThatLosesADatanodeAndAnExecutorEndsWithTheWeightsOfLocalDisks() throws Exception {
    String text = TinyRun.text(folder);
    try (SparkSession session = session();
        MiniDFSCluster hdfs = hdfs();
        LoggedProcess dataNode = DataNodeProcess.start(folder, hdfs, Utils.localHostName())) {
      RunSummary calm = train(session, text, folder.resolve("calm").toString(), new TinyRun.Log());
      String root = "hdfs://localhost:" + hdfs.getNameNodePort();
      // Not the cluster's own client, of one replica, which the driver would take from the cache.
      FileSystem files = path(root).getFileSystem(session.sparkContext().hadoopConfiguration());
      files.copyFromLocalFile(path(text), path("/text/text.txt"));
      Faults log = new Faults(dataNode);
      Localities localities = new Localities();
      session.sparkContext().addSparkListener(localities);
      RunSummary summary = train(session, root + "/text", root + "/run", log);

      assertEquals(calm.weightsSha256(), summary.weightsSha256());
      assertFalse(dataNode.isAlive());
      assertEquals(2, log.starts.size(), log.messages.toString());
      assertTrue(log.starts.get(1).step() >= DATANODE_DIES_AT, log.starts.toString());
      for (String job : List.of("count documents", "tokenize", "training on 2 ranks")) {
        assertEquals(Set.of("NODE_LOCAL"), localities.of(job), job);
      }
      assertIsWhole(session.sparkContext().hadoopConfiguration(), root + "/run");
    }
  }

  private SparkSession session() throws IOException {
    SparkSession session = SparkSessions.open("hdfs", Optional.of("local-cluster[2,1,1024]"));
    session.sparkContext().hadoopConfiguration().setInt("dfs.replication", 2);
    return session;
  }

  /** Of one datanode, elsewhere; the other is a process, which says that it is on this host. */
  private MiniDFSCluster hdfs() throws IOException {
    return new MiniDFSCluster.Builder(new Configuration(), folder.resolve("hdfs").toFile())
        .hosts(new String[] {"elsewhere"})
        .build();
  }

  private static RunSummary train(
      SparkSession session, String input, String output, TinyRun.Log log) throws Exception {
    RunConfiguration tiny = TinyRun.configuration(DataConfiguration.ofInput(input, "char"));
    RunConfiguration longer =
        new RunConfiguration(tiny.name(), tiny.model(), tiny.data(), TinyRun.training(STEPS));
    return new TrainingDriver(session)
        .train(
            TrainingRequest.of(longer, output).withDevice("java").withRanks(OptionalInt.of(2)),
            log);
  }

  /** All of it can be read from the datanode that is left. */
  private static void assertIsWhole(Configuration hadoop, String run) throws IOException {
    RunFolder folder = RunFolder.of(hadoop, run);
    String metrics = new String(folder.read("metrics.jsonl").orElseThrow(), StandardCharsets.UTF_8);
    assertEquals(STEPS, metrics.lines().filter(line -> line.contains("\"grad_norm\"")).count());
    assertTrue(new CheckpointStore(folder, 2).steps().contains(STEPS));
    try (TokenDataset dataset = TokenDataset.open(hadoop, run + "/dataset")) {
      assertTrue(dataset.tokens(Split.TRAIN) > 0);
    }
    assertTrue(folder.exists(RunSummary.FILE_NAME));
  }

  private static org.apache.hadoop.fs.Path path(String name) {
    return new org.apache.hadoop.fs.Path(name);
  }

  /** Kills a datanode after one checkpoint, and an executor after a later one. */
  private static final class Faults extends TinyRun.Log {
    private final LoggedProcess dataNode;
    private boolean killed;

    Faults(LoggedProcess dataNode) {
      this.dataNode = dataNode;
    }

    @Override
    public void onCheckpoint(int step, String path) {
      super.onCheckpoint(step, path);
      if (step >= DATANODE_DIES_AT) {
        dataNode.close();
      }
      if (step >= EXECUTOR_DIES_AT && !killed) {
        killed = true;
        new ExecutorProcesses(ProcessHandle.current()).alive().get(0).destroyForcibly();
      }
    }
  }

  /** How near to what they asked for the tasks of each job were started. */
  private static final class Localities extends SparkListener {
    private final Map<Integer, String> jobs = new ConcurrentHashMap<>();
    private final Map<String, Set<String>> seen = new ConcurrentHashMap<>();

    @Override
    public void onStageSubmitted(SparkListenerStageSubmitted stage) {
      String job = stage.properties().getProperty("spark.job.description", "");
      jobs.put(stage.stageInfo().stageId(), job);
    }

    @Override
    public void onTaskStart(SparkListenerTaskStart start) {
      seen.computeIfAbsent(jobs.get(start.stageId()), job -> new ConcurrentSkipListSet<>())
          .add(start.taskInfo().taskLocality().toString());
    }

    Set<String> of(String job) {
      return seen.getOrDefault(job, Set.of());
    }
  }
}
