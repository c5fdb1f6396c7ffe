package org.sparkformer.spark;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.sparkformer.data.Corpus;
import org.sparkformer.data.TokenDataset.Verification;
import org.sparkformer.data.Tokenizer;
import org.sparkformer.spark.dataset.DatasetBuild;
import org.sparkformer.spark.dataset.DatasetBuildRequest;
import org.sparkformer.spark.dataset.DatasetBuildResult;
import org.sparkformer.spark.dataset.TokenizerTraining;
import org.sparkformer.spark.dataset.TokenizerTrainingRequest;
import org.sparkformer.spark.dataset.TokenizerTrainingResult;
import org.sparkformer.training.RunLease;
import org.sparkformer.training.RunSummary;
import org.sparkformer.training.TrainingListener;
import org.sparkformer.training.configuration.DataConfiguration;

/** One Spark application and what it can do, for callers that know nothing of Spark. */
public final class Cluster implements AutoCloseable {
  private final JavaSparkContext context;

  private Cluster(JavaSparkContext context) {
    this.context = context;
  }

  /**
   * Starts the application.
   *
   * @param master as for {@link SparkSessions#open}
   */
  public static Cluster open(String name, Optional<String> master) throws IOException {
    return new Cluster(SparkSessions.openContext(name, master));
  }

  /**
   * As {@link #open}, for training: in local mode the device's drivers are loaded beside it.
   *
   * @param device selector
   */
  public static Cluster openForTraining(String name, String master, String device)
      throws IOException {
    if (Master.isLocal(master) && !device.equalsIgnoreCase(RankDevice.JAVA)) {
      RankDevice.loadDrivers();
    }
    return open(name, Optional.of(master));
  }

  /** The master that spark-submit or a system property names, if one does. */
  public static Optional<String> givenMaster() {
    return new org.apache.spark.SparkConf().getOption("spark.master").isDefined()
        ? Optional.of(new org.apache.spark.SparkConf().get("spark.master"))
        : Optional.empty();
  }

  /** How Hadoop's file systems are reached, known before the application starts. */
  public static Configuration givenHadoop() {
    return SparkHadoopUtil.get().newConfiguration(new org.apache.spark.SparkConf());
  }

  public String master() {
    return context.master();
  }

  /** How Hadoop's file systems are reached. */
  public Configuration hadoop() {
    return context.hadoopConfiguration();
  }

  /**
   * See {@link DatasetPreparation#prepare}; of its bytes only the sizes are looked at, for training
   * looks at all.
   */
  public PreparedDataset prepare(
      DataConfiguration data, OptionalInt vocabularySize, String output, Consumer<String> messages)
      throws IOException {
    return new DatasetPreparation(context, Verification.SIZES)
        .prepare(data, vocabularySize, output, messages);
  }

  /** See {@link TrainingDriver#check}. */
  public void check(TrainingRequest request) {
    new TrainingDriver(context).check(request);
  }

  /** See {@link TrainingDriver#claim}. */
  public RunLease claim(String output, Consumer<String> messages) throws IOException {
    return new TrainingDriver(context).claim(output, messages);
  }

  /** See {@link TrainingDriver#train}. */
  public RunSummary train(TrainingRequest request, RunLease lease, TrainingListener listener)
      throws IOException, InterruptedException, TrainingFailedException {
    return new TrainingDriver(context).train(request, lease, listener);
  }

  /** See {@link TokenizerTraining#run}. */
  public TokenizerTrainingResult train(TokenizerTrainingRequest request) throws IOException {
    return TokenizerTraining.run(context, request);
  }

  /** See {@link TokenizerTraining#resolve}. */
  public Tokenizer tokenizer(String name, Corpus corpus, int vocabularySize) throws IOException {
    return TokenizerTraining.resolve(context, name, corpus, vocabularySize);
  }

  /** See {@link DatasetBuild#run}. */
  public DatasetBuildResult build(DatasetBuildRequest request) throws IOException {
    return DatasetBuild.run(context, request);
  }

  /**
   * Stops the application. Scala prints the stack traces of work that this cuts off in Spark's own
   * pools, past every logger: nobody can do anything about them, so they are dropped.
   */
  @Override
  public void close() {
    PrintStream errors = System.err;
    System.setErr(new PrintStream(OutputStream.nullOutputStream()));
    try {
      context.close();
    } finally {
      System.setErr(errors);
    }
  }
}
