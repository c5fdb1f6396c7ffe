package org.sparkformer.spark;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.HdfsConfiguration;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.hadoop.hdfs.server.datanode.DataNode;
import org.sparkformer.testkit.LoggedProcess;

/** A datanode of HDFS in a process of its own. */
final class DataNodeProcess {
  private static final String READY = "the datanode is up";
  private static final Duration LONGEST = Duration.ofSeconds(60);

  private DataNodeProcess() {}

  /**
   * Starts one and waits until the namenode knows it.
   *
   * @param folder for its blocks and its log
   * @param host that it says it is on
   */
  static LoggedProcess start(Path folder, MiniDFSCluster hdfs, String host)
      throws IOException, InterruptedException {
    int before = hdfs.getNamesystem().getNumLiveDataNodes();
    LoggedProcess process =
        LoggedProcess.start(
            folder.resolve("datanode.log"),
            Map.of(),
            LoggedProcess.java(
                List.of("-Xmx256m"),
                System.getProperty("java.class.path"),
                DataNodeProcess.class.getName(),
                List.of(folder.toString(), hdfs.getURI().toString(), host)));
    process.await(READY, LONGEST);
    while (hdfs.getNamesystem().getNumLiveDataNodes() == before) {
      Thread.sleep(20);
    }
    return process;
  }

  /**
   * A datanode's settings.
   *
   * @param folder for its blocks
   * @param namenode its URI
   * @param host that it says it is on
   * @param address that it listens on
   */
  static Configuration settings(String folder, String namenode, String host, String address) {
    Configuration configuration = new HdfsConfiguration();
    configuration.set("dfs.datanode.data.dir", folder + "/blocks");
    configuration.set("fs.defaultFS", namenode);
    configuration.set("dfs.datanode.hostname", host);
    for (String port : List.of("", ".ipc", ".http")) {
      configuration.set("dfs.datanode" + port + ".address", address + ":0");
    }
    return configuration;
  }

  public static void main(String[] arguments) {
    try {
      DataNode.createDataNode(
          new String[0], settings(arguments[0], arguments[1], arguments[2], "127.0.0.1"));
      System.out.println(READY);
    } catch (IOException e) {
      e.printStackTrace();
      System.exit(1);
    }
  }
}
