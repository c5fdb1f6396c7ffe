package org.sparkformer.training;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.models.huggingface.HuggingFaceModel;
import org.sparkformer.models.huggingface.WeightFiles;
import org.sparkformer.models.safetensors.SafetensorsWriter;

/**
 * One rank's part of a run's state in host memory: taken at a step, then written beside training.
 * Each rank writes its part of the optimizer's state, rank 0 everything else. A checkpoint's folder
 * is one that Hugging Face transformers loads.
 */
final class CheckpointSnapshot {
  static final String TOKENIZER = "tokenizer.json";

  private final TrainingRun run;
  private final Rank rank;
  private final ModelState state;
  private final HostVector parameters;
  private final OptimizerShard shard;

  /** Takes the host memory at once, so that a lack of it shows before training. */
  CheckpointSnapshot(TrainingRun run, Rank rank, ModelState state) {
    this.run = run;
    this.rank = rank;
    this.state = state;
    this.parameters = new HostVector(rank.isFirst() ? state.layout().size() : 0);
    this.shard = new OptimizerShard(state.slices());
  }

  /**
   * Copies this rank's part of the optimizer's state from the device.
   *
   * @return its file, to be written before the next copy is taken
   */
  CheckpointFile takeShard() {
    shard.copy(rank.backend(), state);
    return shard.file(OptimizerShard.fileName(rank.collective().rank(), rank.collective().size()));
  }

  /**
   * Copies all that rank 0 writes from the device; the other ranks help with the weights.
   *
   * @param metrics lines of the metrics file so far
   * @return the files, to be written before the next copy is taken
   */
  List<CheckpointFile> take(RunProgress progress, WholeWeights weights, byte[] metrics)
      throws IOException {
    weights.read(parameters::put);
    var tokenizer = run.dataset().tokenizer();
    return List.of(
        new CheckpointFile(HuggingFaceModel.WEIGHTS, this::writeWeights),
        CheckpointFile.of(
            HuggingFaceModel.CONFIGURATION,
            HuggingFaceModel.configurationFile(
                run.configuration().model(), tokenizer::specialToken)),
        CheckpointFile.of(TOKENIZER, tokenizer.toJson().getBytes(StandardCharsets.UTF_8)),
        takeShard(),
        CheckpointFile.of(CheckpointStore.CONFIGURATION, Json.pretty(run.configuration())),
        CheckpointFile.of(MetricsWriter.FILE_NAME, metrics),
        CheckpointFile.of(CheckpointState.FILE_NAME, Json.pretty(state(progress))));
  }

  private void writeWeights(OutputStream stream) throws IOException {
    ParameterLayout layout = state.layout();
    SafetensorsWriter writer =
        new SafetensorsWriter(HuggingFaceModel.WEIGHTS, stream, WeightFiles.header(layout));
    for (ParameterLayout.Parameter parameter : layout.parameters()) {
      parameters.write(writer, parameter.name(), parameter.offset(), parameter.shape().size());
    }
    writer.finish();
  }

  private CheckpointState state(RunProgress progress) {
    var training = run.configuration().training();
    long nextSample = (long) progress.step() * training.batchSize();
    return new CheckpointState(
        progress, nextSample, training.seed(), ResumeCheck.fingerprint(run.dataset()));
  }
}
