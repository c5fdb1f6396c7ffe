package org.sparkformer.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.sparkformer.data.CausalSamples;
import org.sparkformer.data.Split;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.training.configuration.RunConfiguration;

/**
 * {@link TinyRun}'s text, but in all batches of some steps one letter, which it has nowhere else.
 */
final class SpikyText {
  /** Those of {@link TinyRun} and one. */
  static final int LETTERS = 13;

  private SpikyText() {}

  /**
   * @param folder of the text
   * @param dataset of it: samples are found by their numbers alone
   * @param run that will read what is written
   * @param first and last step of those that go wrong, in the first epoch
   */
  static Path write(Path folder, String dataset, RunConfiguration run, int first, int last)
      throws IOException {
    StringBuilder text = new StringBuilder(Files.readString(folder.resolve("text.txt")));
    int context = run.model().context();
    int batch = run.training().batchSize();
    try (TokenDataset sound = TokenDataset.open(new Configuration(false), dataset)) {
      CausalSamples samples = new CausalSamples(sound, Split.TRAIN, context, run.training().seed());
      for (long sample = (first - 1L) * batch; sample < (long) last * batch; sample++) {
        int targets = (int) samples.position(sample) + 1;
        text.replace(targets, targets + context, "z".repeat(context));
      }
    }
    return Files.writeString(folder.resolve("spiky.txt"), text);
  }
}
