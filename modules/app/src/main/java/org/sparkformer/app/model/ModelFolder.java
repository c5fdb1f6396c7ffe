package org.sparkformer.app.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.sparkformer.app.InputException;
import org.sparkformer.models.huggingface.HuggingFaceModel;
import org.sparkformer.training.CheckpointStore;
import org.sparkformer.training.RunFolder;

/**
 * Finds the folder with a model's {@code config.json}, weights and {@code tokenizer.json}: a
 * checkpoint, or a folder as Hugging Face transformers has it. Of a run's folder that is its newest
 * whole checkpoint. What lies on another file system is copied here first.
 */
final class ModelFolder {
  private static final List<String> FILES =
      List.of(HuggingFaceModel.CONFIGURATION, HuggingFaceModel.WEIGHTS, "tokenizer.json");

  private ModelFolder() {}

  static Path find(Configuration hadoop, String location, Consumer<String> messages)
      throws IOException, InputException {
    RunFolder folder = newest(RunFolder.of(hadoop, location), location, messages);
    boolean local = "file".equals(folder.fileSystem().getUri().getScheme());
    return local ? Path.of(folder.path().toUri().getPath()) : fetch(folder);
  }

  private static RunFolder newest(RunFolder folder, String location, Consumer<String> messages)
      throws IOException, InputException {
    if (folder.exists(HuggingFaceModel.CONFIGURATION)) {
      return folder;
    }
    CheckpointStore store = new CheckpointStore(folder, 1);
    OptionalInt step = store.newestWhole(messages);
    if (step.isEmpty()) {
      throw new InputException(
          location
              + " holds no model: give the folder of a run, of a checkpoint, or one with "
              + HuggingFaceModel.CONFIGURATION
              + " and "
              + HuggingFaceModel.WEIGHTS);
    }
    return store.folder(step.getAsInt());
  }

  private static Path fetch(RunFolder folder) throws IOException {
    Path copy = Files.createTempDirectory("sparkformer-model");
    copy.toFile().deleteOnExit();
    for (String name : FILES) {
      Path file = copy.resolve(name);
      folder
          .fileSystem()
          .copyToLocalFile(
              false, folder.resolve(name), new org.apache.hadoop.fs.Path(file.toUri()), true);
      file.toFile().deleteOnExit();
    }
    return copy;
  }
}
