package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.testkit.StandaloneCluster;
import org.sparkformer.testkit.StandaloneCluster.Host;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.TrainingConfiguration;

/**
 * A standalone cluster with a worker on each of two hosts, which are addresses of this machine, and
 * HDFS with a datanode on each: the same blocks on one host, then on the other.
 */
class TwoHostsTest {
  private static final List<String> HOSTS = List.of("127.0.0.1", "127.0.0.2");

  /** With which a job waits for both executors. */
  private static final Map<String, String> SETTINGS =
      Map.of(
          "spark.driver.host",
          HOSTS.get(0),
          "spark.driver.bindAddress",
          HOSTS.get(0),
          "spark.ui.enabled",
          "false",
          "spark.executor.extraClassPath",
          System.getProperty("java.class.path"),
          "spark.cores.max",
          "2",
          "spark.scheduler.minRegisteredResourcesRatio",
          "1");

  /** Together more than the smallest slice, 4 MiB, so that each is one. */
  private static final int LARGER = 900;

  private static final int SMALLER = 750;

  @TempDir private Path folder;

  private final ClassLoader loader = Thread.currentThread().getContextClassLoader();

  /** HDFS leaves that of its web pages, which would load our classes anew for later tests. */
  @AfterEach
  void restore() {
    Thread.currentThread().setContextClassLoader(loader);
    settings().keySet().forEach(System::clearProperty);
  }

  @Test
  void slicesAreReadOnTheHostsOfTheirBlocksAndTheRankRunsWhereMostOfTheShardsLie()
      throws Exception {
    settings().forEach(System::setProperty);
    try (StandaloneCluster cluster =
            StandaloneCluster.start(sparkHome(), folder, host(HOSTS.get(0)), hosts());
        HostedHdfs hdfs = HostedHdfs.start(folder, HOSTS);
        JavaSparkContext context =
            SparkSessions.openContext("two hosts", Optional.of(cluster.url()))) {
      assertPlaced(context, hdfs, HOSTS.get(0), HOSTS.get(1));
      assertPlaced(context, hdfs, HOSTS.get(1), HOSTS.get(0));
    }
  }

  /**
   * @param larger host of the first slice, which is the larger one
   * @param smaller host of the second
   */
  private void assertPlaced(
      JavaSparkContext context, HostedHdfs hdfs, String larger, String smaller) throws Exception {
    String run = "/larger-on-" + larger;
    String text = Files.readString(Path.of(TinyRun.text(folder)));
    hdfs.write(larger, run + "/text/1.txt", text.repeat(LARGER));
    hdfs.write(smaller, run + "/text/2.txt", text.repeat(SMALLER));
    assertEquals(
        Map.of(larger, (long) LARGER * text.length(), smaller, (long) SMALLER * text.length()),
        hdfs.bytesByHost(run + "/text"));

    Placement placement = new Placement();
    context.sc().addSparkListener(placement);
    train(context, hdfs.uri() + run);
    context.sc().removeSparkListener(placement);

    Map<Integer, String> both = Map.of(0, near(larger), 1, near(smaller));
    assertEquals(both, placement.of("count documents"));
    assertEquals(both, placement.of("tokenize"));
    Map<String, Long> shards = hdfs.bytesByHost(run + "/run/dataset");
    assertTrue(shards.get(larger) > shards.get(smaller), shards.toString());
    assertEquals(Map.of(0, near(larger)), placement.of("training on 1 ranks"));
  }

  private static void train(JavaSparkContext context, String folder) throws Exception {
    DataConfiguration data = DataConfiguration.ofInput(folder + "/text", "char");
    TrainingRequest request =
        TrainingRequest.of(TinyRun.configuration(data), folder + "/run")
            .withDevice("java")
            .withRanks(OptionalInt.of(1));
    TrainingConfiguration training =
        TinyRun.training(2).toBuilder().evalInterval(0).checkpointInterval(0).build();
    new TrainingDriver(context).train(TinyRun.trained(request, training), new TinyRun.Log());
  }

  private static Map<String, String> settings() {
    Map<String, String> all = new HashMap<>(SETTINGS);
    HostedHdfs.clientSettings().forEach((key, value) -> all.put("spark.hadoop." + key, value));
    return all;
  }

  private static List<Host> hosts() {
    return HOSTS.stream().map(TwoHostsTest::host).toList();
  }

  private static Host host(String address) {
    return new Host(address, List.of());
  }

  /**
   * A Spark installation of the jars of the class path: master and workers need no classes of ours.
   */
  private Path sparkHome() throws IOException {
    Path home = folder.resolve("spark");
    Path jars = Files.createDirectories(home.resolve("jars"));
    String classPath = System.getProperty("java.class.path");
    for (String entry : classPath.split(Pattern.quote(File.pathSeparator))) {
      if (entry.endsWith(".jar")) {
        Path jar = Path.of(entry);
        Files.createSymbolicLink(jars.resolve(jar.getFileName()), jar);
      }
    }
    return home;
  }

  private static String near(String host) {
    return host + ", NODE_LOCAL";
  }

  /** Where the tasks of each job were started, and how near that was to what they asked for. */
  private static final class Placement extends SparkListener {
    private final Map<Integer, String> jobs = new ConcurrentHashMap<>();
    private final Map<String, Map<Integer, String>> tasks = new ConcurrentHashMap<>();

    @Override
    public void onStageSubmitted(SparkListenerStageSubmitted stage) {
      String job = stage.properties().getProperty("spark.job.description", "");
      jobs.put(stage.stageInfo().stageId(), job);
    }

    @Override
    public void onTaskStart(SparkListenerTaskStart start) {
      tasks
          .computeIfAbsent(jobs.get(start.stageId()), job -> new ConcurrentHashMap<>())
          .put(
              start.taskInfo().index(),
              start.taskInfo().host() + ", " + start.taskInfo().taskLocality());
    }

    Map<Integer, String> of(String job) {
      return tasks.getOrDefault(job, Map.of());
    }
  }
}
