package org.sparkformer.app.command;

import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.sparkformer.app.InputException;
import org.sparkformer.data.Corpus;
import org.sparkformer.data.DatasetManifest;
import org.sparkformer.data.DatasetWriter;
import org.sparkformer.data.Tokenizer;
import org.sparkformer.spark.Cluster;
import org.sparkformer.spark.dataset.DatasetBuildRequest;
import org.sparkformer.spark.dataset.DatasetBuildResult;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code sparkformer dataset}. */
@Command(
    name = "dataset",
    description = "Builds datasets.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = DatasetCommand.Build.class)
public final class DatasetCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "which command? There is: build");
  }

  /** {@code sparkformer dataset build}. */
  @Command(
      name = "build",
      description = "Tokenizes text into token shards with a manifest, in a Spark job.",
      mixinStandardHelpOptions = true,
      footer = {"", "Train on it: sparkformer train CONFIG --set data.dataset=DIR"})
  static final class Build implements Callable<Integer> {
    @Spec private CommandSpec spec;
    @Mixin private CorpusOptions input;
    @Mixin private ClusterOption cluster;

    @Option(
        names = "--tokenizer",
        paramLabel = "WHICH",
        defaultValue = "bpe",
        description =
            "bpe, masked-bpe or char (learned from the input), gpt2, or the path of a tokenizer.json"
                + " (default: ${DEFAULT-VALUE}).")
    private String tokenizer;

    @Option(
        names = "--vocab-size",
        paramLabel = "N",
        defaultValue = "65536",
        description =
            "Tokens for bpe and masked-bpe to learn; any other tokenizer with more than these is refused (default:"
                + " ${DEFAULT-VALUE}).")
    private int vocabularySize;

    @Option(
        names = "--validation-fraction",
        paramLabel = "F",
        defaultValue = "0.1",
        description =
            "Share of the documents to keep for validation; of a single document, its end"
                + " (default: ${DEFAULT-VALUE}).")
    private double validationFraction;

    @Option(names = "--overwrite", description = "Replace a dataset that stands in DIR.")
    private boolean overwrite;

    @Option(
        names = "--out",
        paramLabel = "DIR",
        required = true,
        description = "Folder to write, on any Hadoop file system.")
    private String output;

    @Override
    public Integer call() throws IOException, InputException {
      Positive.check("--vocab-size", vocabularySize);
      Corpus corpus = input.corpus();
      DatasetWriter.requireFree(Cluster.givenHadoop(), output, overwrite);
      try (Cluster spark = cluster.open("sparkformer dataset build", 1)) {
        Tokenizer chosen = spark.tokenizer(tokenizer, corpus, vocabularySize);
        print(
            spark.build(
                new DatasetBuildRequest(corpus, output, chosen, validationFraction, overwrite)));
      }
      return 0;
    }

    private void print(DatasetBuildResult result) {
      DatasetManifest manifest = result.manifest();
      spec.commandLine()
          .getOut()
          .printf(
              Locale.ROOT,
              "%s: %,d documents, %,d tokens to train on, %,d to validate on, vocabulary %,d,"
                  + " %.1f s%n",
              result.output(),
              result.documents(),
              manifest.train().tokens(),
              manifest.validation().tokens(),
              manifest.vocabularySize(),
              result.seconds());
    }
  }
}
