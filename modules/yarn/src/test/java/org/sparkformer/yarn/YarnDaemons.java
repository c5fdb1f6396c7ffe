package org.sparkformer.yarn;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.server.MiniYARNCluster;

/**
 * A process with a NameNode, a DataNode, a ResourceManager and two NodeManagers, whose children are
 * the containers. Its argument is a folder that exists.
 */
final class YarnDaemons {
  static final String READY = "the cluster is ready";
  private static final int NODE_MANAGERS = 2;
  private static final Pattern TOLD =
      Pattern.compile("fs\\.defaultFS|dfs\\.replication|yarn\\.resourcemanager\\..*address.*");
  private static final int PATIENCE_MILLISECONDS = 60_000;

  private YarnDaemons() {}

  public static void main(String[] arguments) {
    try {
      start(Path.of(arguments[0]));
      System.out.println(READY);
    } catch (Exception | LinkageError e) {
      e.printStackTrace();
      // What was started so far would go on.
      System.exit(1);
    }
  }

  private static void start(Path folder) throws Exception {
    System.setProperty("test.build.data", folder.resolve("data").toString());
    System.setProperty("test.build.dir", folder.resolve("build").toString());
    YarnConfiguration configuration = configuration();
    MiniDFSCluster hdfs =
        new MiniDFSCluster.Builder(configuration, folder.resolve("hdfs").toFile()).build();
    configuration.set(FileSystem.FS_DEFAULT_NAME_KEY, hdfs.getURI().toString());
    MiniYARNCluster yarn = new MiniYARNCluster("yarn", NODE_MANAGERS, 1, 1);
    yarn.init(configuration);
    yarn.start();
    if (!yarn.waitForNodeManagersToConnect(PATIENCE_MILLISECONDS)) {
      throw new IllegalStateException("the NodeManagers do not find their ResourceManager");
    }
    write(yarn.getConfig(), Files.createDirectories(folder.resolve(YarnCluster.CONFIGURATION)));
  }

  private static YarnConfiguration configuration() {
    YarnConfiguration configuration = new YarnConfiguration();
    configuration.setInt("dfs.replication", 1);
    configuration.setInt("yarn.scheduler.minimum-allocation-mb", 256);
    configuration.set("yarn.scheduler.capacity.root.queues", "default");
    configuration.set("yarn.scheduler.capacity.root.default.capacity", "100");
    configuration.set("yarn.scheduler.capacity.maximum-am-resource-percent", "0.8");
    // A disk that is nearly full is one of the machine, and no fault of the run.
    configuration.set(
        "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage", "100");
    // For the kernels that were compiled before.
    configuration.set("yarn.nodemanager.user-home-dir", System.getProperty("user.home"));
    return configuration;
  }

  /** What clients need to know of it, as a cluster's own files tell them. */
  private static void write(Configuration configuration, Path folder) throws IOException {
    Configuration told = new Configuration(false);
    configuration
        .getPropsWithPrefix("")
        .forEach(
            (key, value) -> {
              if (TOLD.matcher(key).matches()) {
                told.set(key, value);
              }
            });
    for (String name : List.of("core-site.xml", "yarn-site.xml")) {
      try (OutputStream file = Files.newOutputStream(folder.resolve(name))) {
        told.writeXml(file);
      }
    }
  }
}
