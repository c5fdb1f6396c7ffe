package org.sparkformer.spark.dataset;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.SerializableConfiguration;
import org.sparkformer.data.Corpus;
import org.sparkformer.data.CorpusFiles;
import org.sparkformer.data.CorpusPart;
import org.sparkformer.data.CorpusSlice;
import org.sparkformer.data.HadoopFiles;
import org.sparkformer.data.SliceReader;
import org.sparkformer.data.UnreadableCorpusException;

/** Reads a corpus with one task a slice, where a host that holds the slice has room. */
final class CorpusJob {
  /** HDFS keeps three copies. */
  private static final int HOSTS_OF_A_TASK = 3;

  /** A slice of many files lies all over the cluster, and asking for each would take time. */
  private static final int LOCATED_PARTS = 16;

  private final JavaSparkContext spark;
  private final Corpus corpus;
  private final List<CorpusSlice> slices;
  private final List<List<String>> hosts;

  private CorpusJob(
      JavaSparkContext spark, Corpus corpus, List<CorpusSlice> slices, List<List<String>> hosts) {
    this.spark = spark;
    this.corpus = corpus;
    this.slices = slices;
    this.hosts = hosts;
  }

  /** Opens the documents of a slice on an executor. */
  record Reading(SerializableConfiguration configuration, String field) implements Serializable {
    private static final long serialVersionUID = 1L;

    SliceReader open(String slice) {
      return open(CorpusSlice.parse(slice));
    }

    SliceReader open(CorpusSlice slice) {
      return new SliceReader(slice, new CorpusDocuments(configuration.value(), field));
    }
  }

  /** A job whose failure is told by the error of the task that failed. */
  interface Job<T> {
    T run() throws Exception;
  }

  static CorpusJob plan(JavaSparkContext spark, Corpus corpus) throws IOException {
    List<CorpusSlice> slices =
        CorpusSlice.plan(CorpusFiles.list(spark.hadoopConfiguration(), corpus));
    List<List<String>> hosts = new ArrayList<>();
    for (CorpusSlice slice : slices) {
      hosts.add(hosts(spark.hadoopConfiguration(), slice));
    }
    return new CorpusJob(spark, corpus, slices, hosts);
  }

  private static List<String> hosts(Configuration hadoop, CorpusSlice slice) throws IOException {
    BlockHosts hosts = new BlockHosts();
    if (slice.parts().size() <= LOCATED_PARTS) {
      for (CorpusPart part : slice.parts()) {
        Path file = new Path(part.path());
        hosts.add(HadoopFiles.of(file, hadoop), file, part.start(), part.end());
      }
    }
    return hosts.most(HOSTS_OF_A_TASK);
  }

  Reading reading() {
    return new Reading(new SerializableConfiguration(spark.hadoopConfiguration()), corpus.field());
  }

  List<CorpusSlice> slices() {
    return slices;
  }

  /** The slices as JSON, one a partition, in order. */
  JavaRDD<String> rdd() {
    return PlacedRows.of(
        spark,
        slices.stream()
            .map(slice -> new PlacedRows.Row(slice.toJson(), hosts.get(slice.index())))
            .toList());
  }

  /**
   * Runs a job under a description that the Spark UI shows.
   *
   * @throws UnreadableCorpusException where a task could not read its slice
   * @throws IOException with the message of any other error of a task
   */
  <T> T run(String description, Job<T> job) throws IOException {
    spark.sc().setJobDescription(description);
    try {
      return job.run();
    } catch (SparkException e) {
      Throwable cause = cause(e);
      throw cause instanceof UnreadableCorpusException
          ? new UnreadableCorpusException(cause.getMessage(), e)
          : new IOException(cause.getMessage(), e);
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException("%s failed: %s".formatted(description, e.getMessage()), e);
    } finally {
      spark.sc().setJobDescription(null);
    }
  }

  private static Throwable cause(Throwable error) {
    Throwable cause = error;
    while (cause.getCause() != null && !(cause instanceof IOException)) {
      cause = cause.getCause();
    }
    return cause;
  }
}
