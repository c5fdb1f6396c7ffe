package org.sparkformer.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/** Opens the Spark session that datasets are built and models are trained in. */
public final class SparkSessions {
  private static final String SPARK_HOME = "SPARK_HOME";

  private SparkSessions() {}

  /**
   * Opens a session; close it when the work is done.
   *
   * @param name of the application, as Spark's pages show it
   * @param master {@code local[N]}, {@code local-cluster[N,cores,MiB]}, {@code spark://host:port};
   *     empty takes what spark-submit gave
   * @throws IllegalArgumentException where no master is known or it cannot be used here
   */
  public static SparkSession open(String name, Optional<String> master) throws IOException {
    return SparkSession.builder().config(settings(name, master)).getOrCreate();
  }

  /**
   * As {@link #open}, without Spark SQL, whose classes take a second to load.
   *
   * @throws IllegalArgumentException as {@link #open}
   */
  public static JavaSparkContext openContext(String name, Optional<String> master)
      throws IOException {
    return JavaSparkContext.fromSparkContext(SparkContext.getOrCreate(settings(name, master)));
  }

  private static SparkConf settings(String name, Optional<String> master) throws IOException {
    SparkConf given = new SparkConf();
    String chosen = master.orElseGet(() -> given.get("spark.master", ""));
    if (chosen.isBlank()) {
      throw new IllegalArgumentException(
          "no Spark master: give --master local[N], local-cluster[N,1,2048] or spark://HOST:7077,"
              + " or run under spark-submit");
    }
    if (Master.isLocalCluster(chosen)) {
      prepareLocalCluster(System.getenv(SPARK_HOME));
    }
    return SessionSettings.complete(given, name, chosen);
  }

  /** Executors of local-cluster are started from SPARK_HOME, of which only jars/ has to exist. */
  private static void prepareLocalCluster(String home) throws IOException {
    if (home == null || home.isBlank()) {
      throw new IllegalArgumentException(
          "local-cluster starts executors from SPARK_HOME, which is not set: use the sparkformer"
              + " command, or set it to a folder that this user may write to");
    }
    Files.createDirectories(Path.of(home, "jars"));
  }
}
