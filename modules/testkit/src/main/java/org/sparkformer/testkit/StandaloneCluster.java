package org.sparkformer.testkit;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A Spark standalone cluster: a master and workers, each a process, from nothing but Spark's jars.
 * They run the classes that {@code deploy/standalone/start.sh} runs by the scripts of a
 * distribution.
 */
public final class StandaloneCluster implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** The better compiler takes more of the seconds that these live than it gives. */
  private static final String QUICK_COMPILER = "-XX:TieredStopAtLevel=1";

  private static final String DEPLOY = "org.apache.spark.deploy.";
  private static final String REGISTERED = "Successfully registered with master";

  private final Path sparkHome;
  private final Path folder;
  private final Host front;
  private final List<LoggedProcess> processes = new ArrayList<>();
  private String url;

  private StandaloneCluster(Path sparkHome, Path folder, Host front) {
    this.sparkHome = sparkHome;
    this.folder = folder;
    this.front = front;
  }

  /**
   * Where a process runs.
   *
   * @param address that the others reach it under
   * @param prefix of its command, such as {@code ip netns exec NAME}
   */
  public record Host(String address, List<String> prefix) {
    public static final Host LOOPBACK = new Host("127.0.0.1", List.of());

    public Host {
      prefix = List.copyOf(prefix);
    }

    List<String> command(List<String> command) {
      return Stream.concat(prefix.stream(), command.stream()).toList();
    }
  }

  /**
   * Starts a cluster and waits until every worker has registered.
   *
   * @param sparkHome holds {@code jars/}
   * @param folder for logs and the executors' folders; exists
   * @param front of the master and of what is submitted
   * @param workers each with one core and 1 GiB for executors
   */
  public static StandaloneCluster start(Path sparkHome, Path folder, Host front, List<Host> workers)
      throws IOException, InterruptedException {
    StandaloneCluster cluster = new StandaloneCluster(sparkHome, folder, front);
    try {
      cluster.startMaster();
      for (Host worker : workers) {
        cluster.startWorker(worker);
      }
      cluster.awaitWorkers();
      return cluster;
    } catch (IOException | InterruptedException | RuntimeException e) {
      cluster.close();
      throw e;
    }
  }

  private void startMaster() throws IOException, InterruptedException {
    List<String> arguments = List.of("--host", front.address(), "--port", "0", "--webui-port", "0");
    LoggedProcess master = start("master", front, "master.Master", arguments);
    url = master.await("Starting Spark master at (spark://\\S+)", PATIENCE).group(1);
  }

  private void startWorker(Host host) throws IOException {
    String name = "worker-" + processes.size();
    List<String> options = new ArrayList<>(List.of("--host", host.address()));
    options.addAll(List.of("--port", "0", "--webui-port", "0", "--cores", "1", "--memory", "1g"));
    options.addAll(List.of("--work-dir", folder.resolve(name).toString(), url));
    start(name, host, "worker.Worker", options);
  }

  private void awaitWorkers() throws IOException, InterruptedException {
    for (LoggedProcess worker : workers()) {
      if (worker.isAlive()) {
        worker.await(REGISTERED, PATIENCE);
      }
    }
  }

  /** Starts another worker and waits until it has registered. */
  public void addWorker(Host host) throws IOException, InterruptedException {
    startWorker(host);
    awaitWorkers();
  }

  /** Kills a worker and its executors, which then are gone for good. */
  public void killWorker(int worker) {
    workers().get(worker).close();
  }

  private LoggedProcess start(String name, Host host, String main, List<String> arguments)
      throws IOException {
    List<String> options = List.of("-Xmx512m", QUICK_COMPILER, "-Dspark.master.rest.enabled=false");
    LoggedProcess process = run(name, host, options, main, arguments);
    processes.add(process);
    return process;
  }

  private LoggedProcess run(
      String name, Host host, List<String> options, String main, List<String> arguments)
      throws IOException {
    String jars = sparkHome.resolve("jars") + "/*";
    Map<String, String> environment =
        Map.of(
            "SPARK_HOME", sparkHome.toString(),
            "SPARK_SCALA_VERSION", "2.13",
            "SPARK_LOCAL_IP", host.address());
    return LoggedProcess.start(
        folder.resolve(name + ".log"),
        environment,
        host.command(LoggedProcess.java(options, jars, DEPLOY + main, arguments)));
  }

  /** {@code spark://HOST:PORT}. */
  public String url() {
    return url;
  }

  /**
   * What {@code spark-submit} runs, with this cluster as its master; close it after use.
   *
   * @param name of its log
   * @param arguments options of spark-submit, the jar, and the program's own arguments
   */
  public LoggedProcess submit(String name, List<String> arguments) throws IOException {
    List<String> all = new ArrayList<>(List.of("--master", url));
    all.addAll(arguments);
    return run(name, front, List.of("-Xmx1g", QUICK_COMPILER), "SparkSubmit", all);
  }

  /** The executors that run now on one of the workers, which count from 0 as they were started. */
  public List<ProcessHandle> executors(int worker) {
    return workers().get(worker).descendants().filter(StandaloneCluster::isExecutor).toList();
  }

  private static boolean isExecutor(ProcessHandle process) {
    return process.info().commandLine().orElse("").contains("CoarseGrainedExecutorBackend");
  }

  private List<LoggedProcess> workers() {
    return processes.subList(1, processes.size());
  }

  @Override
  public void close() {
    processes.forEach(LoggedProcess::close);
  }
}
