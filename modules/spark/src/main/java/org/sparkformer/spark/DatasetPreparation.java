package org.sparkformer.spark;

import java.io.IOException;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkformer.data.CorruptDatasetException;
import org.sparkformer.data.DatasetManifest;
import org.sparkformer.data.HadoopFiles;
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
 * was built there from the same files in the same way is taken as it is; files whose times alone
 * differ are the same, which costs reading them once. One of which a file is damaged is built
 * again, which gives the same bytes.
 */
public final class DatasetPreparation {
  /** Folder of the dataset in the run's folder. */
  public static final String FOLDER = "dataset";

  private final JavaSparkContext spark;
  private final Verification verification;

  /**
   * @param verification what of a dataset is looked at before it is taken
   */
  public DatasetPreparation(JavaSparkContext spark, Verification verification) {
    this.spark = spark;
    this.verification = verification;
  }

  /**
   * The dataset that a configuration names, built where it has to be.
   *
   * @param vocabularySize {@code model.vocab_size}; empty where the tokenizer decides
   * @param output the run's folder
   * @param messages told what is damaged and what is built
   * @throws java.io.FileNotFoundException when input or dataset is not there
   * @throws CorruptDatasetException when a file of a dataset that was not built here is damaged
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
    RunFolder run = RunFolder.of(hadoop(), qualified(hadoop(), output));
    return ofInput(run, CorpusSource.of(data, vocabularySize), messages);
  }

  private PreparedDataset ofInput(RunFolder run, CorpusSource source, Consumer<String> messages)
      throws IOException {
    RunFolder folder = run.folder(FOLDER);
    Optional<SourceMark> built = SourceMark.in(folder);
    SourceMark now = mark(source, built);
    boolean same = built.isPresent() && built.get().content().equals(now.content());
    Optional<PreparedDataset> found = same ? whole(folder, messages) : Optional.empty();
    if (!same) {
      requireNotBegun(run, built, source.data());
    }
    if (found.isEmpty()) {
      messages.accept(
          "building the dataset of %s in %s".formatted(source.data().input(), folder.path()));
      build(source, folder);
    }
    if (found.isEmpty() || !built.get().equals(now)) {
      now.write(folder);
    }
    return found.isPresent() ? found.get() : open(folder.path().toString());
  }

  /** What the source is now; files are read where any of them has another time than was marked. */
  private SourceMark mark(CorpusSource source, Optional<SourceMark> built) throws IOException {
    String stamp = source.stamp(hadoop());
    return built.isPresent() && built.get().stamp().equals(stamp)
        ? built.get()
        : new SourceMark(stamp, source.content(spark));
  }

  /** Empty where a file is damaged. */
  private Optional<PreparedDataset> whole(RunFolder folder, Consumer<String> messages)
      throws IOException {
    try {
      return Optional.of(open(folder.path().toString()));
    } catch (CorruptDatasetException damaged) {
      messages.accept(damaged.getMessage());
      return Optional.empty();
    }
  }

  /**
   * A run that has checkpoints goes on with the tokens it began with. A dataset without its mark is
   * what an unfinished build left: to be built again, and compared when the run is resumed.
   */
  private static void requireNotBegun(
      RunFolder run, Optional<SourceMark> built, DataConfiguration data) throws IOException {
    if (built.isPresent() && !new CheckpointStore(run, 1).steps().isEmpty()) {
      throw new IllegalArgumentException(
          "%s holds a run on other tokens: the files of data.input (%s), or how they are cut and encoded, have changed since its dataset was built; set them back, go on with --set data.dataset=%s, or start a new run in another folder"
              .formatted(run.path(), data.input(), run.resolve(FOLDER)));
    }
  }

  private void build(CorpusSource source, RunFolder folder) throws IOException {
    folder.fileSystem().delete(folder.resolve(SourceMark.FILE_NAME), false);
    // What is built again is nobody else's, and has the names of the first time.
    folder.fileSystem().delete(folder.resolve(DatasetManifest.FILE_NAME), false);
    Tokenizer tokenizer =
        TokenizerTraining.resolve(
            spark, source.tokenizer(), source.corpus(), source.largestVocabulary());
    DatasetBuild.run(
        spark,
        new DatasetBuildRequest(
            source.corpus(),
            folder.path().toString(),
            tokenizer,
            source.data().validationFraction(),
            true));
  }

  private PreparedDataset open(String uri) throws IOException {
    try (TokenDataset dataset = TokenDataset.open(hadoop(), uri, verification)) {
      return PreparedDataset.of(uri, dataset.manifest());
    }
  }

  /** The whole URI: executors run in folders of their own, and may have another default. */
  static String qualified(Configuration hadoop, String location) throws IOException {
    Path path = new Path(location);
    return HadoopFiles.of(path, hadoop).makeQualified(path).toString();
  }

  private Configuration hadoop() {
    return spark.hadoopConfiguration();
  }
}
