package org.sparkformer.training;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.models.huggingface.Gpt2Configuration;
import org.sparkformer.models.huggingface.HuggingFaceGpt;
import org.sparkformer.tensor.Backend;

/**
 * A run's state in host memory: taken at a step, then written beside training. A checkpoint's
 * folder is one that Hugging Face transformers loads.
 */
final class CheckpointSnapshot {
  static final String FIRST_MOMENT = "optimizer-first-moment.safetensors";
  static final String SECOND_MOMENT = "optimizer-second-moment.safetensors";
  static final String TOKENIZER = "tokenizer.json";

  private final TrainingRun run;
  private final HostVector parameters;
  private final HostVector firstMoment;
  private final HostVector secondMoment;

  CheckpointSnapshot(TrainingRun run, ParameterLayout layout) {
    this.run = run;
    this.parameters = new HostVector(layout);
    this.firstMoment = new HostVector(layout);
    this.secondMoment = new HostVector(layout);
  }

  /**
   * Copies the state from the device.
   *
   * @param metrics lines of the metrics file so far
   * @return the files, to be written before the next copy is taken
   */
  List<CheckpointFile> take(Backend backend, ModelState state, RunProgress progress, byte[] metrics)
      throws IOException {
    parameters.copy(backend, state.parameters());
    firstMoment.copy(backend, state.firstMoment());
    secondMoment.copy(backend, state.secondMoment());
    var tokenizer = run.dataset().tokenizer();
    return List.of(
        vector(HuggingFaceGpt.WEIGHTS, parameters),
        CheckpointFile.of(
            HuggingFaceGpt.CONFIGURATION,
            Gpt2Configuration.write(run.configuration().model(), tokenizer.endOfText())),
        CheckpointFile.of(TOKENIZER, tokenizer.toJson().getBytes(StandardCharsets.UTF_8)),
        vector(FIRST_MOMENT, firstMoment),
        vector(SECOND_MOMENT, secondMoment),
        CheckpointFile.of(CheckpointStore.CONFIGURATION, Json.pretty(run.configuration())),
        CheckpointFile.of(MetricsWriter.FILE_NAME, metrics),
        CheckpointFile.of(CheckpointState.FILE_NAME, Json.pretty(state(progress))));
  }

  private CheckpointState state(RunProgress progress) {
    var training = run.configuration().training();
    long nextSample = (long) progress.step() * training.batchSize();
    return new CheckpointState(
        progress, nextSample, training.seed(), ResumeCheck.fingerprint(run.dataset()));
  }

  private static CheckpointFile vector(String name, HostVector vector) {
    return new CheckpointFile(name, stream -> vector.write(name, stream));
  }
}
