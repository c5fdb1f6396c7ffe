package org.sparkformer.app.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import org.sparkformer.app.InputException;
import org.sparkformer.app.configuration.ConfigurationDraft;
import org.sparkformer.app.configuration.Yaml;
import org.sparkformer.app.progress.Durations;
import org.sparkformer.app.progress.TrainingProgress;
import org.sparkformer.spark.Cluster;
import org.sparkformer.spark.PreparedDataset;
import org.sparkformer.spark.TrainingFailedException;
import org.sparkformer.training.FinishedRun;
import org.sparkformer.training.RunFolder;
import org.sparkformer.training.RunLease;
import org.sparkformer.training.RunSummary;
import org.sparkformer.training.configuration.RunConfiguration;
import picocli.CommandLine;

/** From a configuration to a trained model: dataset, training, what came of it. */
final class TrainingWorkflow {
  private final RunOptions options;
  private final PrintWriter out;
  private final PrintWriter notes;

  /** Results go to the command's output, progress and messages to its error output. */
  TrainingWorkflow(RunOptions options, CommandLine command) {
    this.options = options;
    this.out = command.getOut();
    this.notes = command.getErr();
  }

  /** Whether there is nothing left to do, which is said then. */
  boolean isFinished(ConfigurationDraft draft, String folder) throws IOException, InputException {
    Optional<FinishedRun> found = FinishedRun.in(RunFolder.of(Cluster.givenHadoop(), folder));
    if (!options.resumes() || found.isEmpty()) {
      return false;
    }
    RunSummary summary = found.get().summary();
    int size = draft.vocabularySize().orElse(summary.configuration().model().vocabularySize());
    if (!found.get().answers(draft.bind(size))) {
      return false;
    }
    out.printf(
        Locale.ROOT,
        "%s is complete: %,d steps, weights sha256 %s%n",
        folder,
        summary.steps(),
        summary.weightsSha256());
    out.flush();
    return true;
  }

  /**
   * Trains to the last step.
   *
   * @param usualRanks where {@code --ranks} is not given; empty leaves it to the cluster
   */
  RunSummary train(ConfigurationDraft draft, String folder, OptionalInt usualRanks)
      throws IOException, InputException, InterruptedException, TrainingFailedException {
    RunFolder.of(Cluster.givenHadoop(), folder).requireNoFile();
    OptionalInt ranks = options.ranks().isPresent() ? options.ranks() : usualRanks;
    String name = "sparkformer " + draft.name();
    try (Cluster cluster =
        options.cluster().openForTraining(name, ranks.orElse(1), options.device())) {
      RunSummary summary = train(cluster, draft, folder, ranks);
      print(summary);
      return summary;
    }
  }

  private RunSummary train(
      Cluster cluster, ConfigurationDraft draft, String folder, OptionalInt ranks)
      throws IOException, InputException, InterruptedException, TrainingFailedException {
    RunConfiguration early = draft.bind(draft.vocabularySize().orElse(1));
    cluster.check(options.request(early, folder, ranks));
    try (TrainingProgress progress = new TrainingProgress(notes, TrainingProgress.onTerminal());
        RunLease lease = cluster.claim(folder, progress::onMessage)) {
      PreparedDataset dataset =
          cluster.prepare(draft.data(), draft.vocabularySize(), folder, progress::onMessage);
      RunConfiguration configuration = draft.bind(dataset.vocabularySize());
      announce(configuration, dataset, progress);
      return cluster.train(options.request(configuration, folder, ranks), lease, progress);
    }
  }

  private static void announce(
      RunConfiguration configuration, PreparedDataset dataset, TrainingProgress progress) {
    progress.onMessage(Yaml.write(configuration).stripTrailing());
    progress.onMessage(
        String.format(
            Locale.ROOT,
            "dataset  %,d tokens to train on, %,d to validate on, vocabulary %,d",
            dataset.trainTokens(),
            dataset.validationTokens(),
            dataset.vocabularySize()));
  }

  private void print(RunSummary summary) {
    out.printf(
        Locale.ROOT,
        "trained %,d steps, %,d tokens in %s%n",
        summary.steps(),
        summary.tokens(),
        Durations.text(summary.wallSeconds()));
    out.printf(Locale.ROOT, "training loss   %.4f%n", summary.loss());
    if (summary.valLoss() != null) {
      out.printf(
          Locale.ROOT,
          "validation loss %.4f (perplexity %.2f)%n",
          summary.valLoss(),
          Math.exp(summary.valLoss()));
    }
    out.println("weights sha256  " + summary.weightsSha256());
    out.flush();
  }
}
