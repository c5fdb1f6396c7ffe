package org.sparkformer.spark;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.sparkformer.data.DatasetManifest;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.data.TokenDataset.Verification;
import org.sparkformer.data.Tokenizer;
import org.sparkformer.spark.dataset.DatasetBuild;
import org.sparkformer.spark.dataset.DatasetBuildRequest;
import org.sparkformer.spark.dataset.TokenizerTraining;
import org.sparkformer.training.CheckpointStore;
import org.sparkformer.training.RunFolder;
import org.sparkformer.training.configuration.DataConfiguration;

/**
 * Finds a run's dataset, or builds it from {@code data.input} into the run's folder. A dataset that
 * was built there from the same files in the same way is taken as it is.
 */
public final class DatasetPreparation {
  /** Folder of the dataset in the run's folder. */
  public static final String FOLDER = "dataset";

  /** What the dataset was built from; written after its manifest, removed before it is replaced. */
  private static final String SOURCE = "source.sha256";

  private final JavaSparkContext spark;

  public DatasetPreparation(SparkSession session) {
    this.spark = JavaSparkContext.fromSparkContext(session.sparkContext());
  }

  /**
   * The dataset that a configuration names, built where it has to be.
   *
   * @param vocabularySize {@code model.vocab_size}; empty where the tokenizer decides
   * @param output the run's folder
   * @param messages told what is built
   * @throws java.io.FileNotFoundException when input or dataset is not there
   * @throws org.sparkformer.data.CorruptDatasetException when a file of it has not its size
   * @throws IllegalArgumentException when neither is named, the vocabulary does not fit, or the
   *     folder holds a run on a dataset from another source; that is left as it is
   */
  public PreparedDataset prepare(
      DataConfiguration data, OptionalInt vocabularySize, String output, Consumer<String> messages)
      throws IOException {
    if (data.dataset() != null) {
      return open(qualified(hadoop(), data.dataset()));
    }
    if (data.input() == null) {
      throw new IllegalArgumentException(
          "nothing to learn from: give data.input (text) or data.dataset (a built dataset)");
    }
    CorpusSource source = CorpusSource.of(data, vocabularySize);
    String fingerprint = source.fingerprint(hadoop());
    RunFolder run = RunFolder.of(hadoop(), qualified(hadoop(), output));
    RunFolder folder = run.folder(FOLDER);
    String uri = folder.path().toString();
    if (!isBuilt(folder, fingerprint)) {
      requireNotBegun(run, folder, data);
      messages.accept("building the dataset of %s in %s".formatted(data.input(), uri));
      build(source, uri, folder);
      folder.replace(SOURCE, fingerprint.getBytes(StandardCharsets.UTF_8));
    }
    return open(uri);
  }

  /**
   * A run that has checkpoints goes on with the tokens it began with. A dataset without its mark is
   * what an unfinished build left: to be built again, and compared when the run is resumed.
   */
  private static void requireNotBegun(RunFolder run, RunFolder dataset, DataConfiguration data)
      throws IOException {
    boolean isOther = dataset.exists(DatasetManifest.FILE_NAME) && dataset.exists(SOURCE);
    if (isOther && !new CheckpointStore(run, 1).steps().isEmpty()) {
      throw new IllegalArgumentException(
          "%s holds a run on other tokens: the files of data.input (%s), or how they are cut and encoded, have changed since its dataset was built; set them back, go on with --set data.dataset=%s, or start a new run in another folder"
              .formatted(run.path(), data.input(), dataset.path()));
    }
  }

  private static boolean isBuilt(RunFolder folder, String fingerprint) throws IOException {
    return folder.exists(DatasetManifest.FILE_NAME)
        && folder
            .read(SOURCE)
            .map(stored -> new String(stored, StandardCharsets.UTF_8).equals(fingerprint))
            .orElse(false);
  }

  private void build(CorpusSource source, String uri, RunFolder folder) throws IOException {
    folder.fileSystem().delete(new Path(uri, SOURCE), false);
    Tokenizer tokenizer =
        TokenizerTraining.resolve(
            spark, source.tokenizer(), source.corpus(), source.largestVocabulary());
    DatasetBuild.run(
        spark,
        new DatasetBuildRequest(
            source.corpus(), uri, tokenizer, source.data().validationFraction(), true));
  }

  private PreparedDataset open(String uri) throws IOException {
    try (TokenDataset dataset = TokenDataset.open(hadoop(), uri, Verification.SIZES)) {
      return PreparedDataset.of(uri, dataset.manifest());
    }
  }

  /** The whole URI: executors run in folders of their own, and may have another default. */
  static String qualified(Configuration hadoop, String location) throws IOException {
    Path path = new Path(location);
    return path.getFileSystem(hadoop).makeQualified(path).toString();
  }

  private Configuration hadoop() {
    return spark.hadoopConfiguration();
  }
}
