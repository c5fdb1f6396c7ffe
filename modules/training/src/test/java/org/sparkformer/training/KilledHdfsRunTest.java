package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.HdfsConfiguration;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** As {@link KilledRunTest}, where the files of the processes lie on HDFS. */
class KilledHdfsRunTest {
  private static final int RANKS = 2;
  private static MiniDFSCluster cluster;
  private static KilledRuns runs;
  @TempDir static Path folder;

  @BeforeAll
  static void start() throws Exception {
    Configuration hadoop = new HdfsConfiguration();
    hadoop.setBoolean("dfs.namenode.redundancy.considerLoad", false);
    Path disk = Files.createDirectory(folder.resolve("dfs"));
    cluster = new MiniDFSCluster.Builder(hadoop, disk.toFile()).numDataNodes(1).build();
    runs = KilledRuns.in(folder, cluster.getURI().toString());
  }

  @AfterAll
  static void stop() {
    cluster.shutdown();
  }

  /**
   * The second manifest is half written, or whole and not yet put in place, or the third is about
   * to be created, each by three operations.
   */
  @ParameterizedTest
  @CsvSource({"5, 3", "6, 3", "7, 6"})
  void aProcessThatEndsAroundACommitGoesOnFromTheNewestCheckpoint(int operation, int newest)
      throws Exception {
    String run = "commit-" + operation;
    assertTrue(runs.endsAtChange(operation, CheckpointManifest.FILE_NAME, run, RANKS), run);
    assertEquals(newest, runs.newest(run));
    runs.assertGoesOn(run, RANKS, newest);
  }

  /** From {@code -Dkilled.first} on, for several processes beside each other. */
  @Tag("soak")
  @Test
  void atEachFileOperation() throws Exception {
    int operation = Integer.getInteger("killed.first", 1);
    while (runs.endsAndGoesOn(operation, "operation-" + operation, RANKS)) {
      operation++;
    }
    assertTrue(operation > 84, "only " + operation + " operations");
  }
}
