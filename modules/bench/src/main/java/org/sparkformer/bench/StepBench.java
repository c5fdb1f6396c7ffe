package org.sparkformer.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.sparkformer.collective.CollectiveOptions;
import org.sparkformer.collective.InProcessTransport;
import org.sparkformer.collective.SummationTree;
import org.sparkformer.collective.TreeCollective;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.data.Tokenizer;
import org.sparkformer.models.ModelConfiguration;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.TracedCommand;
import org.sparkformer.training.RankTrainer;
import org.sparkformer.training.RunFolder;
import org.sparkformer.training.StepMetrics;
import org.sparkformer.training.TrainingRun;
import org.sparkformer.training.configuration.RunConfiguration;

/** Whole training steps of one rank, on tokens drawn at random, beside peers. */
final class StepBench {
  private static final long NANOSECONDS_A_MILLISECOND = 1_000_000;

  /** The peers take their turns between two steps, which must not look stuck. */
  private static final Duration LONGEST_TURN = Duration.ofHours(1);

  private final OpenClBackend backend;
  private final RunConfiguration run;
  private final StepRounds rounds;
  private final List<PyTorchPeer> peers;

  /**
   * @param run its model's vocabulary is what the tokens are drawn from
   */
  StepBench(
      OpenClBackend backend,
      RunConfiguration run,
      List<PyTorchPeer> peers,
      int rounds,
      int stepsARound) {
    this.backend = backend;
    this.run = endless(run);
    this.peers = peers;
    this.rounds = new StepRounds(backend, peers, rounds, stepsARound);
  }

  /** The listener ends the run, long before its last step. */
  private static RunConfiguration endless(RunConfiguration run) {
    return new RunConfiguration(
        run.name(),
        run.model(),
        run.data(),
        run.training().toBuilder()
            .steps(1_000_000)
            .logInterval(1)
            .evalInterval(0)
            .checkpointInterval(0)
            .build());
  }

  StepResult run() throws IOException {
    OptionalDouble peakGflops = new Peaks(backend).gflops(run.training().precision().operands());
    try (MeasurementFolder folder = MeasurementFolder.create("bench-step")) {
      train(folder.path());
    }
    return result(peakGflops);
  }

  /** The commands of the traced step. */
  List<TracedCommand> trace() {
    return rounds.trace();
  }

  private void train(Path folder) throws IOException {
    int microBatches = run.training().microBatches();
    long tokens = 20L * run.training().batchSize() * (run.model().context() + 1);
    Path data = Files.createDirectory(folder.resolve("data"));
    try (TokenDataset dataset =
            SyntheticDataset.write(data, tokenizer(), (int) Math.max(1 << 16, tokens));
        TreeCollective alone =
            new TreeCollective(
                new SummationTree(microBatches),
                InProcessTransport.group("bench", 0, 1).get(0),
                CollectiveOptions.of("bench", 0, LONGEST_TURN))) {
      RunFolder out =
          RunFolder.of(new Configuration(false), folder.resolve("run").toUri().toString());
      new RankTrainer(new TrainingRun(run, dataset, out, false), backend, alone, rounds).train();
    } catch (InterruptedException expected) {
      backend.finish();
    }
  }

  private Tokenizer tokenizer() {
    return SyntheticDataset.tokenizer(run.model().objective(), run.model().vocabularySize());
  }

  private StepResult result(OptionalDouble peakGflops) throws IOException {
    List<StepMetrics> steps = rounds.steps();
    double[] stepMs = steps.stream().mapToDouble(StepMetrics::stepMs).sorted().toArray();
    double median = Rounds.median(stepMs);
    long tokens = (long) run.training().batchSize() * run.model().context();
    double tokensPerSecond = tokens / median * 1e3;
    List<StepResult.KernelTime> kernels = kernels();
    return new StepResult(
        run.name(),
        backend.description(),
        run.training().precision().toString().toLowerCase(Locale.ROOT),
        run.model().parameterCount(),
        tokens,
        tokensPerSecond,
        median,
        stepMs[0],
        stepMs[stepMs.length - 1],
        median(StepMetrics::forwardMs),
        median(StepMetrics::backwardMs),
        optimizer(kernels),
        median(StepMetrics::allreduceMs),
        median(StepMetrics::dataWaitMs),
        (double) rounds.activity().launches() / steps.size(),
        (double) rounds.activity().waits() / steps.size(),
        (double) rounds.activity().markWaits() / steps.size(),
        rounds.activity().buffers(),
        backend.memory().peakBytes(),
        peakHostBytes(),
        peakGflops.isPresent()
            ? tokensPerSecond * flopsPerToken() / (peakGflops.getAsDouble() * 1e9)
            : null,
        peers(tokens),
        kernels);
  }

  private double median(ToDoubleFunction<StepMetrics> of) {
    return Rounds.median(rounds.steps().stream().mapToDouble(of).toArray());
  }

  /** The output matrix works for those tokens only that are to be predicted. */
  private double flopsPerToken() {
    ModelConfiguration model = run.model();
    double idle = 1 - (double) run.targets() / model.context();
    double parameters =
        model.parameterCount()
            - (double) model.context() * model.width()
            - idle * model.vocabularySize() * model.width();
    return 6 * parameters + 12.0 * model.layers() * model.width() * model.context();
  }

  private List<StepResult.KernelTime> kernels() {
    Map<String, List<TracedCommand>> byName =
        rounds.trace().stream()
            .filter(command -> !command.isCopy())
            .collect(Collectors.groupingBy(TracedCommand::name));
    return byName.entrySet().stream()
        .map(
            entry ->
                new StepResult.KernelTime(
                    entry.getKey(), entry.getValue().size(), milliseconds(entry.getValue())))
        .sorted(Comparator.comparingDouble(StepResult.KernelTime::milliseconds).reversed())
        .toList();
  }

  private static double milliseconds(List<TracedCommand> commands) {
    return commands.stream().mapToLong(command -> command.end() - command.start()).sum()
        / (double) NANOSECONDS_A_MILLISECOND;
  }

  /** The norm's block sums and AdamW; the loss's few block sums are among them. */
  private static double optimizer(List<StepResult.KernelTime> kernels) {
    return kernels.stream()
        .filter(kernel -> kernel.kernel().contains("adamw") || kernel.kernel().contains("blockSum"))
        .mapToDouble(StepResult.KernelTime::milliseconds)
        .sum();
  }

  private List<StepResult.Peer> peers(long tokens) {
    List<StepResult.Peer> results = new ArrayList<>();
    for (int i = 0; i < peers.size(); i++) {
      double stepMs = Rounds.median(rounds.peerSteps(i));
      double[] ratios = rounds.ratios(i);
      results.add(
          new StepResult.Peer(
              "PyTorch " + peers.get(i).name(),
              peers.get(i).description(),
              tokens / stepMs * 1e3,
              stepMs,
              Rounds.median(ratios),
              Arrays.stream(ratios).min().orElseThrow(),
              Arrays.stream(ratios).max().orElseThrow()));
    }
    return results;
  }

  /** From Linux's process table; 0 elsewhere. */
  private static long peakHostBytes() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return 0;
    }
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("VmHWM:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
        .sum();
  }
}
