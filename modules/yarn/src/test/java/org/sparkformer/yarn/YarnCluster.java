package org.sparkformer.yarn;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.sparkformer.testkit.LoggedProcess;

/** A YARN, an HDFS and a Spark distribution to submit with, in a folder. */
final class YarnCluster implements AutoCloseable {
  static final String CONFIGURATION = "conf";
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final Path DEPLOY = Path.of("../../deploy").toAbsolutePath().normalize();

  /** As Maven laid them out. */
  private static final Path SPARK_JARS = Path.of("target/spark/jars").toAbsolutePath();

  private final Path folder;
  private final LoggedProcess daemons;

  private YarnCluster(Path folder, LoggedProcess daemons) {
    this.folder = folder;
    this.daemons = daemons;
  }

  /**
   * @param folder for all that the cluster writes; exists
   */
  static YarnCluster start(Path folder) throws IOException, InterruptedException {
    LoggedProcess daemons =
        LoggedProcess.start(
            folder.resolve("daemons.log"),
            Map.of("JAVA_HOME", System.getProperty("java.home")),
            LoggedProcess.java(
                List.of("-Xmx1g"),
                System.getProperty("java.class.path"),
                YarnDaemons.class.getName(),
                List.of(folder.toString())));
    YarnCluster cluster = new YarnCluster(folder, daemons);
    try {
      daemons.await(YarnDaemons.READY, PATIENCE);
      cluster.writeDistribution();
      return cluster;
    } catch (IOException | InterruptedException | RuntimeException e) {
      cluster.close();
      throw e;
    }
  }

  /**
   * What {@code deploy/yarn/submit.sh} wants of a {@code SPARK_HOME}. Containers take its jars
   * where they are, rather than from a copy on HDFS.
   */
  private void writeDistribution() throws IOException {
    String classPath = folder.resolve(CONFIGURATION) + ":" + SPARK_JARS + "/*";
    List<String> submit =
        LoggedProcess.java(
            List.of("-Xmx512m"), classPath, "org.apache.spark.deploy.SparkSubmit", List.of());
    Path script = Files.createDirectories(folder.resolve("bin")).resolve("spark-submit");
    Files.writeString(script, "#!/bin/sh\nexec %s \"$@\"\n".formatted(String.join(" ", submit)));
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.writeString(
        folder.resolve(CONFIGURATION).resolve("spark-defaults.conf"),
        "spark.yarn.jars local:%s/*\n".formatted(SPARK_JARS));
  }

  FileSystem files() throws IOException {
    Configuration configuration = new Configuration();
    configuration.addResource(
        new org.apache.hadoop.fs.Path(folder.resolve(CONFIGURATION) + "/core-site.xml"));
    return FileSystem.get(configuration);
  }

  /** {@code deploy/yarn/submit.sh}, as a user gives it. */
  LoggedProcess submit(Map<String, String> environment, List<String> arguments) throws IOException {
    Map<String, String> all = new HashMap<>(environment);
    all.put("SPARK_HOME", folder.toString());
    all.put("SPARK_CONF_DIR", folder.resolve(CONFIGURATION).toString());
    all.put("HADOOP_CONF_DIR", folder.resolve(CONFIGURATION).toString());
    List<String> command = new ArrayList<>(List.of(DEPLOY.resolve("yarn/submit.sh").toString()));
    command.addAll(arguments);
    return LoggedProcess.start(folder.resolve("submit.log"), all, command);
  }

  /** The processes of Java, not their shells, of the executors that run now. */
  List<ProcessHandle> executors() {
    return daemons
        .descendants()
        .filter(process -> process.info().command().orElse("").endsWith("java"))
        .filter(process -> commandLine(process).contains("YarnCoarseGrainedExecutorBackend"))
        .toList();
  }

  private static String commandLine(ProcessHandle process) {
    return process.info().commandLine().orElse("");
  }

  /** What drivers, which run in the first container of each application, have said so far. */
  String driverLog() throws IOException {
    try (Stream<Path> all = Files.walk(folder.resolve("data"))) {
      return all.filter(file -> file.getParent().toString().endsWith("_000001"))
          .filter(file -> file.endsWith("stdout") || file.endsWith("stderr"))
          .map(YarnCluster::read)
          .collect(Collectors.joining());
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Kills the daemons and all containers. */
  @Override
  public void close() {
    daemons.close();
  }
}
