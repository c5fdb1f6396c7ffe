package org.sparkformer.app.command;

import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.sparkformer.app.InputException;
import org.sparkformer.data.Tokenizers;
import org.sparkformer.spark.Cluster;
import org.sparkformer.spark.dataset.TokenizerKind;
import org.sparkformer.spark.dataset.TokenizerTrainingRequest;
import org.sparkformer.spark.dataset.TokenizerTrainingResult;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code sparkformer tokenizer}. */
@Command(
    name = "tokenizer",
    description = "Trains tokenizers.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = TokenizerCommand.Train.class)
public final class TokenizerCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "which command? There is: train");
  }

  /** {@code sparkformer tokenizer train}. */
  @Command(
      name = "train",
      description = "Learns a vocabulary from text, in a Spark job, and writes tokenizer.json.",
      mixinStandardHelpOptions = true,
      footer = {"", "The file is read by the Hugging Face tokenizers library as well."})
  static final class Train implements Callable<Integer> {
    @Spec private CommandSpec spec;
    @Mixin private CorpusOptions corpus;
    @Mixin private ClusterOption cluster;

    @Option(
        names = "--kind",
        paramLabel = "KIND",
        defaultValue = "bpe",
        description =
            "bpe (byte-level byte-pair encoding), masked-bpe (with [PAD], [CLS], [SEP] and [MASK],"
                + " for BERT) or char (default: ${DEFAULT-VALUE}).")
    private String kind;

    @Option(
        names = "--vocab-size",
        paramLabel = "N",
        defaultValue = "32768",
        description = "Tokens to learn; bpe only (default: ${DEFAULT-VALUE}).")
    private int vocabularySize;

    @Option(
        names = "--out",
        paramLabel = "FILE",
        defaultValue = "tokenizer.json",
        description = "Where to write, on any Hadoop file system (default: ${DEFAULT-VALUE}).")
    private String file;

    @Override
    public Integer call() throws IOException, InputException {
      Positive.check("--vocab-size", vocabularySize);
      TokenizerTrainingRequest request =
          new TokenizerTrainingRequest(
              corpus.corpus(),
              kind(),
              vocabularySize,
              TokenizerTrainingRequest.DEFAULT_MINIMUM_COUNT);
      Tokenizers.prepare(Cluster.givenHadoop(), file);
      try (Cluster spark = cluster.open("sparkformer tokenizer train", 1)) {
        TokenizerTrainingResult result = spark.train(request);
        Tokenizers.save(spark.hadoop(), result.tokenizer(), file);
        spec.commandLine()
            .getOut()
            .printf(
                Locale.ROOT,
                "%s: %,d tokens, %.1f s%n",
                file,
                result.tokenizer().vocabularySize(),
                result.seconds());
      }
      return 0;
    }

    private TokenizerKind kind() throws InputException {
      return switch (kind) {
        case "bpe" -> TokenizerKind.BYTE_PAIR;
        case "masked-bpe" -> TokenizerKind.MASKED_BYTE_PAIR;
        case "char" -> TokenizerKind.CHARACTER;
        default ->
            throw new InputException("--kind must be bpe, masked-bpe or char, but is " + kind);
      };
    }
  }
}
