package org.sparkformer.spark.dataset;

import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.SerializableConfiguration;
import org.sparkformer.data.Corpus;
import org.sparkformer.data.CorpusFiles;
import org.sparkformer.data.CorpusSlice;
import org.sparkformer.data.SliceReader;

/** Reads a corpus with one task a slice. */
final class CorpusJob {
  private final JavaSparkContext spark;
  private final Corpus corpus;
  private final List<CorpusSlice> slices;

  private CorpusJob(JavaSparkContext spark, Corpus corpus, List<CorpusSlice> slices) {
    this.spark = spark;
    this.corpus = corpus;
    this.slices = slices;
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
    return new CorpusJob(spark, corpus, slices);
  }

  Reading reading() {
    return new Reading(new SerializableConfiguration(spark.hadoopConfiguration()), corpus.field());
  }

  List<CorpusSlice> slices() {
    return slices;
  }

  /** The slices as JSON, one a partition, in order. */
  JavaRDD<String> rdd() {
    return spark.parallelize(
        slices.stream().map(CorpusSlice::toJson).toList(), Math.max(1, slices.size()));
  }

  /**
   * Runs a job under a description that the Spark UI shows.
   *
   * @throws IOException with the message of the task's error
   */
  <T> T run(String description, Job<T> job) throws IOException {
    spark.sc().setJobDescription(description);
    try {
      return job.run();
    } catch (SparkException e) {
      throw new IOException(cause(e).getMessage(), e);
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
