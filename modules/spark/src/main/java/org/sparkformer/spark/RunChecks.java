package org.sparkformer.spark;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.sparkformer.collective.SummationTree;
import org.sparkformer.data.CharacterTokenizer;
import org.sparkformer.data.MaskTokens;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.data.TokenDataset.Verification;
import org.sparkformer.data.Tokenizers;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.Devices;
import org.sparkformer.opencl.OpenClException;
import org.sparkformer.training.RunFolder;
import org.sparkformer.training.TrainingRun;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** What can be known to be wrong before anything runs. */
final class RunChecks {
  private static final String CHARACTERS = "char";
  private static final String BYTE_PAIRS = "bpe";
  private static final String MASKED_BYTE_PAIRS = "masked-bpe";

  private RunChecks() {}

  /**
   * Refuses more ranks than micro-batches.
   *
   * @throws IllegalArgumentException saying what to change
   */
  static void ranks(TrainingRequest request, int ranks) {
    TrainingConfiguration training = request.configuration().training();
    new SummationTree(training.microBatches()).ownedBy(0, ranks);
  }

  /**
   * In local mode the driver's devices are the ranks': looks before the dataset is built. Elsewhere
   * each executor looks for its own.
   *
   * @throws IllegalArgumentException when there is no such device; names what was found
   */
  static void localDevice(String device) {
    if (device.equalsIgnoreCase(RankDevice.JAVA)) {
      return;
    }
    try {
      Devices.select(new DeviceSelector(device));
    } catch (OpenClException e) {
      throw new IllegalArgumentException(RankDevice.advice(e), e);
    }
  }

  /**
   * Verifies that a whole dataset's tokenizer is the one that is asked for, that the model has a
   * row for every token, and that each split holds a window.
   *
   * @throws IllegalArgumentException when dataset, tokenizer and model do not go together
   */
  static void dataset(TrainingRequest request, String uri, Configuration hadoop)
      throws IOException {
    try (TokenDataset dataset = TokenDataset.open(hadoop, uri, Verification.SIZES)) {
      DataConfiguration data = request.configuration().data();
      if (data.dataset() != null) {
        requireTokenizer(data.tokenizer(), dataset, hadoop);
      }
      RunFolder folder = RunFolder.of(hadoop, request.output());
      new TrainingRun(request.configuration(), dataset, folder, request.resume());
    }
  }

  /** {@code bpe} is what a configuration says that says nothing; it holds for any dataset. */
  private static void requireTokenizer(String name, TokenDataset dataset, Configuration hadoop)
      throws IOException {
    switch (name) {
      case BYTE_PAIRS -> {}
      case CHARACTERS -> requireCharacters(dataset);
      case MASKED_BYTE_PAIRS -> MaskTokens.of(dataset.tokenizer());
      case Tokenizers.GPT2 -> dataset.requireTokenizer(Tokenizers.named(name), "data.tokenizer");
      default -> dataset.requireTokenizer(Tokenizers.load(hadoop, name), name);
    }
  }

  private static void requireCharacters(TokenDataset dataset) {
    if (!(dataset.tokenizer() instanceof CharacterTokenizer)) {
      throw new IllegalArgumentException(
          "data.tokenizer is char, but the dataset %s was built with another tokenizer (%,d tokens): leave data.tokenizer out, or build the dataset with it"
              .formatted(dataset.uri(), dataset.vocabularySize()));
    }
  }
}
