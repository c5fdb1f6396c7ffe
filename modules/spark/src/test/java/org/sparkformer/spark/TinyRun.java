package org.sparkformer.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.training.EvaluationMetrics;
import org.sparkformer.training.StepMetrics;
import org.sparkformer.training.TrainingListener;
import org.sparkformer.training.TrainingStart;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.RunConfiguration;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** A run of seconds: some thousand letters, a model of a few thousand parameters. */
final class TinyRun {
  static final int STEPS = 6;
  private static final int LETTERS = 11;

  private TinyRun() {}

  /** Random words of the same letters every time. */
  static String text(Path folder) throws IOException {
    Random random = new Random(7);
    StringBuilder text = new StringBuilder("abcdefghijk\n");
    for (int i = 0; i < 3000; i++) {
      text.append(i % 7 == 0 ? '\n' : (char) ('a' + random.nextInt(LETTERS)));
    }
    return Files.writeString(folder.resolve("text.txt"), text).toString();
  }

  /** Four micro-batches a step, so at most four ranks. */
  static RunConfiguration configuration(DataConfiguration data) {
    return new RunConfiguration(
        "tiny", GptConfiguration.of(2, 2, 16, 8, LETTERS + 1), data, training(STEPS));
  }

  static TrainingConfiguration training(int steps) {
    return TrainingConfiguration.DEFAULTS.toBuilder()
        .steps(steps)
        .batchSize(4)
        .microBatchSize(1)
        .warmupSteps(2)
        .evalInterval(3)
        .evalBatches(2)
        .checkpointInterval(2)
        .logInterval(1)
        .build();
  }

  /** A run whose ranks share out the weights too. */
  static TrainingRequest sharingWeights(TrainingRequest request) {
    return trained(request, request.configuration().training().toBuilder().zeroStage(3).build());
  }

  static TrainingRequest request(DataConfiguration data, Path output) {
    return TrainingRequest.of(configuration(data), output.toString()).withDevice("java");
  }

  /** A run on {@link #text}, trained otherwise. */
  static TrainingRequest request(Path folder, String output, TrainingConfiguration training) {
    DataConfiguration data =
        DataConfiguration.ofInput(folder.resolve("text.txt").toString(), "char");
    return trained(request(data, folder.resolve(output)), training);
  }

  /** A request for the same run, trained otherwise. */
  static TrainingRequest trained(TrainingRequest request, TrainingConfiguration training) {
    RunConfiguration run = request.configuration();
    return request.withConfiguration(
        new RunConfiguration(run.name(), run.model(), run.data(), training));
  }

  /** What a run said. */
  static class Log implements TrainingListener {
    final List<TrainingStart> starts = Collections.synchronizedList(new ArrayList<>());
    final List<Integer> steps = Collections.synchronizedList(new ArrayList<>());
    final List<Integer> evaluations = Collections.synchronizedList(new ArrayList<>());
    final List<Integer> checkpoints = Collections.synchronizedList(new ArrayList<>());
    final List<String> messages = Collections.synchronizedList(new ArrayList<>());

    @Override
    public void onStart(TrainingStart start) {
      starts.add(start);
    }

    @Override
    public void onStep(StepMetrics metrics) {
      steps.add(metrics.step());
    }

    @Override
    public void onEvaluation(EvaluationMetrics metrics) {
      evaluations.add(metrics.step());
    }

    @Override
    public void onCheckpoint(int step, String path) {
      checkpoints.add(step);
    }

    @Override
    public void onMessage(String message) {
      messages.add(message);
    }
  }
}
