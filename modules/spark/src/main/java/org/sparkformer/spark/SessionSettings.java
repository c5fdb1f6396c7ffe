package org.sparkformer.spark;

import java.io.File;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.spark.SparkConf;

/** Spark's settings for a run: those that training needs, and quiet defaults for the rest. */
final class SessionSettings {
  /** OpenCL compilers run on the stack of the thread that builds a program. */
  private static final String EXECUTOR_JAVA_OPTIONS =
      "-Xss16m -Dorg.sparkformer.log.level=WARN -Dorg.sparkformer.log.failures=ERROR";

  private SessionSettings() {}

  /**
   * The settings to open a session with.
   *
   * @param given what spark-submit and system properties say; it wins, except where training would
   *     not work
   */
  static SparkConf complete(SparkConf given, String name, String master) {
    SparkConf settings = given.clone().setMaster(master);
    settings.setIfMissing("spark.app.name", name);
    required(settings);
    appendJavaOptions(settings);
    settings.setIfMissing("spark.barrier.sync.timeout", "600s");
    // A rank that is stuck in its device's driver hears no kill: its process is ended instead.
    settings.setIfMissing("spark.task.reaper.enabled", "true");
    // A task's code comes from any executor that has it. One that cannot be reached is called four
    // times, 5 s apart, before another is asked: with Spark's own 120 s a call, for eight minutes.
    settings.setIfMissing("spark.shuffle.io.connectionCreationTimeout", "5s");
    settings.setIfMissing("spark.scheduler.barrier.maxConcurrentTasksCheck.interval", "5s");
    settings.setIfMissing("spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures", "12");
    if (Master.isLocal(master) || Master.isLocalCluster(master)) {
      onThisMachine(settings);
    } else {
      ownJar().ifPresent(jar -> settings.setIfMissing("spark.jars", jar));
    }
    if (Master.isLocalCluster(master)) {
      localCluster(settings, master);
    }
    return settings;
  }

  /**
   * A gang cannot grow, shrink or run a rank twice; and every class that is shipped is registered.
   */
  private static void required(SparkConf settings) {
    settings.set("spark.serializer", "org.apache.spark.serializer.KryoSerializer");
    settings.set("spark.kryo.registrationRequired", "true");
    settings.set("spark.kryo.registrator", SparkformerKryoRegistrator.class.getName());
    settings.set("spark.speculation", "false");
    settings.set("spark.dynamicAllocation.enabled", "false");
  }

  private static void appendJavaOptions(SparkConf settings) {
    String key = "spark.executor.extraJavaOptions";
    settings.set(key, (EXECUTOR_JAVA_OPTIONS + " " + settings.get(key, "")).trim());
  }

  private static void onThisMachine(SparkConf settings) {
    settings.setIfMissing("spark.ui.enabled", "false");
    settings.setIfMissing("spark.ui.showConsoleProgress", "false");
    settings.setIfMissing("spark.driver.host", "127.0.0.1");
    settings.setIfMissing("spark.driver.bindAddress", "127.0.0.1");
    Path warehouse = Path.of(System.getProperty("java.io.tmpdir"), "sparkformer-warehouse");
    settings.setIfMissing("spark.sql.warehouse.dir", warehouse.toUri().toString());
  }

  /**
   * Its executors get this process's class path: there is no Spark installation to take one from.
   */
  private static void localCluster(SparkConf settings, String master) {
    settings.setIfMissing("spark.executor.extraClassPath", ownClassPath());
    settings.setIfMissing("spark.executorEnv.SPARK_SCALA_VERSION", "2.13");
    Master.executorMebibytes(master)
        .ifPresent(memory -> settings.setIfMissing("spark.executor.memory", memory + "m"));
  }

  /** The assembly, for executors on other machines; empty where the classes lie in a folder. */
  private static Optional<String> ownJar() {
    String location =
        SessionSettings.class.getProtectionDomain().getCodeSource().getLocation().toString();
    return location.endsWith(".jar") ? Optional.of(location) : Optional.empty();
  }

  /** With whole paths: executors run in folders of their own. */
  private static String ownClassPath() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
        .map(entry -> entry.endsWith("*") ? entry : Path.of(entry).toAbsolutePath().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }
}
