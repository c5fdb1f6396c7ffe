package org.sparkformer.training;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.models.huggingface.HuggingFaceModel;
import org.sparkformer.models.huggingface.WeightFiles;
import org.sparkformer.models.safetensors.SafetensorsWriter;

/**
 * One rank's part of a run's state as it was after a step, to be written beside training. Each rank
 * writes its part of the optimizer's state, rank 0 everything else. A checkpoint's folder is one
 * that Hugging Face transformers loads.
 */
final class CheckpointSnapshot {
  static final String TOKENIZER = "tokenizer.json";

  private final TrainingRun run;
  private final Rank rank;
  private final ModelState state;
  private final VectorSnapshot parameters;
  private final HostVector gathered;
  private final OptimizerShard shard;

  /** Takes host memory at once for weights that are to be gathered. */
  CheckpointSnapshot(TrainingRun run, Rank rank, ModelState state) {
    this.run = run;
    this.rank = rank;
    this.state = state;
    this.parameters = new VectorSnapshot(rank.backend(), state.parameters());
    boolean gathers = rank.isFirst() && !state.whole();
    this.gathered = new HostVector(gathers ? state.layout().size() : 0);
    this.shard = new OptimizerShard(rank.backend(), state);
  }

  /**
   * This rank's part of the optimizer's state as it is now.
   *
   * @return its file, to be written before the next one is taken
   */
  CheckpointFile takeShard() {
    rank.backend().finish();
    shard.vectors().forEach(VectorSnapshot::take);
    return shard.file(OptimizerShard.fileName(rank.collective().rank(), rank.collective().size()));
  }

  /**
   * All that rank 0 writes, as it is now; the other ranks help with the weights.
   *
   * @param metrics lines of the metrics file so far
   * @return the files, to be written before the next ones are taken
   */
  List<CheckpointFile> take(RunProgress progress, WholeWeights weights, byte[] metrics)
      throws IOException {
    CheckpointFile moments = takeShard();
    if (state.whole()) {
      parameters.take();
    } else {
      weights.read(gathered::put);
    }
    var tokenizer = run.dataset().tokenizer();
    return List.of(
        new CheckpointFile(HuggingFaceModel.WEIGHTS, this::writeWeights),
        CheckpointFile.of(
            HuggingFaceModel.CONFIGURATION,
            HuggingFaceModel.configurationFile(
                run.configuration().model(), tokenizer::specialToken)),
        CheckpointFile.of(TOKENIZER, tokenizer.toJson().getBytes(StandardCharsets.UTF_8)),
        moments,
        CheckpointFile.of(CheckpointStore.CONFIGURATION, Json.pretty(run.configuration())),
        CheckpointFile.of(MetricsWriter.FILE_NAME, metrics),
        CheckpointFile.of(CheckpointState.FILE_NAME, Json.pretty(state(progress))));
  }

  /**
   * To be called before weights or moments change. What has not been written by then is copied to
   * host memory, at the end of the passes that are queued, whose time the files have had.
   */
  void detach() {
    if (vectors().anyMatch(VectorSnapshot::needsDevice)) {
      rank.backend().finish();
      vectors().forEach(VectorSnapshot::detach);
    }
  }

  private Stream<VectorSnapshot> vectors() {
    return Stream.concat(Stream.of(parameters), shard.vectors().stream());
  }

  private void writeWeights(OutputStream stream) throws IOException {
    ParameterLayout layout = state.layout();
    SafetensorsWriter writer =
        new SafetensorsWriter(HuggingFaceModel.WEIGHTS, stream, WeightFiles.header(layout));
    for (ParameterLayout.Parameter parameter : layout.parameters()) {
      write(writer, parameter.name(), parameter.offset(), parameter.shape().size());
    }
    writer.finish();
  }

  private void write(SafetensorsWriter writer, String tensor, long first, long count)
      throws IOException {
    if (state.whole()) {
      parameters.write(writer, tensor, first, count);
    } else {
      gathered.write(writer, tensor, first, count);
    }
  }

  private CheckpointState state(RunProgress progress) {
    var training = run.configuration().training();
    long nextSample = (long) progress.step() * training.batchSize();
    return new CheckpointState(
        progress, nextSample, training.seed(), ResumeCheck.fingerprint(run.dataset()));
  }
}
