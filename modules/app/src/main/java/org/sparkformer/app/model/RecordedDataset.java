package org.sparkformer.app.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.sparkformer.app.InputException;
import org.sparkformer.data.DatasetManifest;
import org.sparkformer.spark.DatasetPreparation;
import org.sparkformer.training.CheckpointStore;
import org.sparkformer.training.Json;
import org.sparkformer.training.RunFolder;
import org.sparkformer.training.RunSummary;

/** The dataset that a model was trained on, as its run has kept it. */
public final class RecordedDataset {
  private static final String ADVICE =
      ": give --dataset DIR, a folder that 'sparkformer dataset build' has written";

  private RecordedDataset() {}

  /**
   * The dataset that the newest checkpoint's configuration names, or else the summary of the run,
   * or else the one that was built in the run's folder.
   *
   * @param location folder of a run or of a checkpoint, on any Hadoop file system
   * @return the folder of a dataset
   * @throws InputException when there is none, or it is no longer there
   */
  public static String find(Configuration hadoop, String location)
      throws IOException, InputException {
    RunFolder given = RunFolder.of(hadoop, location);
    boolean isCheckpoint = given.exists(CheckpointStore.CONFIGURATION);
    RunFolder run = isCheckpoint ? runOf(given) : given;
    Optional<String> named = named(isCheckpoint ? given : newest(run), run);
    String dataset = named.orElse(run.resolve(DatasetPreparation.FOLDER).toString());
    if (RunFolder.of(hadoop, dataset).exists(DatasetManifest.FILE_NAME)) {
      return dataset;
    }
    throw new InputException(
        named.isPresent()
            ? location + " was trained on " + dataset + ", which is no dataset here" + ADVICE
            : location + " names no dataset and holds none" + ADVICE);
  }

  /** A checkpoint lies in {@code RUN/checkpoints/step-...}. */
  private static RunFolder runOf(RunFolder checkpoint) {
    Path path = checkpoint.fileSystem().makeQualified(checkpoint.path());
    Path run = path.getParent() == null ? null : path.getParent().getParent();
    return new RunFolder(checkpoint.fileSystem(), run == null ? path : run);
  }

  private static RunFolder newest(RunFolder run) throws IOException {
    CheckpointStore store = new CheckpointStore(run, 1);
    List<Integer> steps = store.steps();
    return steps.isEmpty() ? run : store.folder(steps.get(steps.size() - 1));
  }

  private static Optional<String> named(RunFolder checkpoint, RunFolder run)
      throws IOException, InputException {
    Optional<byte[]> configuration = checkpoint.read(CheckpointStore.CONFIGURATION);
    return configuration.isPresent()
        ? dataset(configuration.get(), "/data/dataset", checkpoint, CheckpointStore.CONFIGURATION)
        : dataset(
            run.read(RunSummary.FILE_NAME).orElse(new byte[] {'{', '}'}),
            "/configuration/data/dataset",
            run,
            RunSummary.FILE_NAME);
  }

  private static Optional<String> dataset(byte[] json, String key, RunFolder folder, String file)
      throws InputException {
    try {
      JsonNode value = Json.tree(json).at(key);
      return value.isTextual() ? Optional.of(value.asText()) : Optional.empty();
    } catch (IOException damaged) {
      throw new InputException(folder.resolve(file) + " is damaged" + ADVICE, damaged);
    }
  }
}
