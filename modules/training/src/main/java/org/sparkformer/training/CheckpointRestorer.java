package org.sparkformer.training;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.OptionalInt;
import org.sparkformer.models.huggingface.HuggingFaceModel;
import org.sparkformer.models.huggingface.WeightFiles;
import org.sparkformer.models.safetensors.SafetensorsReader;
import org.sparkformer.training.configuration.Precision;
import org.sparkformer.training.configuration.TrainingConfiguration;

/**
 * Puts a rank into the state that a run goes on from. Rank 0 chooses the checkpoint, every rank
 * verifies and reads it, and none goes on before all have: in notes, which wait as long as reading
 * takes, where an operation would end with the step timeout.
 */
final class CheckpointRestorer {
  private static final int NONE = -1;
  private static final byte[] READY = {};

  private final TrainingRun run;
  private final Rank rank;
  private final CheckpointStore store;
  private final TrainingListener listener;

  CheckpointRestorer(TrainingRun run, Rank rank, CheckpointStore store, TrainingListener listener) {
    this.run = run;
    this.rank = rank;
    this.store = store;
    this.listener = listener;
  }

  /**
   * Restores the newest whole checkpoint, or initialises where there is none.
   *
   * @throws IllegalArgumentException if the checkpoint is of a run that gives other numbers, or
   *     there is one and the run is not to be resumed
   * @throws CorruptCheckpointException if there are checkpoints and none is whole
   */
  RunProgress restore(ModelState state) throws IOException, InterruptedException {
    return load(agree(rank.isFirst() ? choose() : NONE), state);
  }

  /**
   * Restores the newest whole checkpoint from before a step, or initialises where there is none.
   *
   * @param first step counted from 1 that is not to have been done
   */
  RunProgress goBack(int first, LossSpikeException why, ModelState state)
      throws IOException, InterruptedException {
    return load(agree(rank.isFirst() ? chooseBefore(first, why) : NONE), state);
  }

  private RunProgress load(int step, ModelState state) throws IOException, InterruptedException {
    RunProgress progress = RunProgress.START;
    if (step == NONE) {
      state.initialize(rank.backend(), run.configuration().training().seed());
    } else {
      progress = loadCheckpoint(step, state);
    }
    if (rank.isFirst()) {
      for (int peer = 1; peer < rank.collective().size(); peer++) {
        rank.collective().takeNote(peer);
      }
      tell(READY);
    } else {
      rank.collective().post(0, READY);
      rank.collective().takeNote(0);
    }
    return progress;
  }

  /** The lines of the metrics file up to a checkpoint; none before the first. */
  byte[] metrics(RunProgress progress) throws IOException {
    return progress.step() == 0
        ? new byte[0]
        : required(store.folder(progress.step()), MetricsWriter.FILE_NAME);
  }

  private int choose() throws IOException {
    store.removeLeftovers(listener::beforeCommit);
    if (!run.resume() && !store.steps().isEmpty()) {
      throw new IllegalArgumentException(
          "%s holds checkpoints of an earlier run: resume it, remove the folder or choose another"
              .formatted(run.folder().path()));
    }
    OptionalInt newest = store.newestWhole(listener::onMessage);
    newest.ifPresent(step -> listener.onMessage("resuming from " + store.folder(step).path()));
    return newest.orElse(NONE);
  }

  private int chooseBefore(int first, LossSpikeException why) throws IOException {
    listener.beforeCommit();
    OptionalInt newest = store.newestWholeBefore(first, listener::onMessage);
    listener.onMessage(
        "the loss of the steps %d to %d was a spike each: going back to step %d, and skipping the steps from %d on"
            .formatted(why.first(), why.last(), newest.orElse(0), first));
    return newest.orElse(NONE);
  }

  private int agree(int chosen) throws InterruptedException {
    if (!rank.isFirst()) {
      return ByteBuffer.wrap(rank.collective().takeNote(0)).getInt();
    }
    tell(ByteBuffer.allocate(Integer.BYTES).putInt(chosen).array());
    return chosen;
  }

  private void tell(byte[] note) {
    for (int peer = 1; peer < rank.collective().size(); peer++) {
      rank.collective().post(peer, note);
    }
  }

  private RunProgress loadCheckpoint(int step, ModelState state) throws IOException {
    RunFolder checkpoint = store.folder(step);
    if (!rank.isFirst()) {
      verify(step);
    }
    CheckpointState kept =
        Json.read(required(checkpoint, CheckpointState.FILE_NAME), CheckpointState.class);
    ResumeCheck check = new ResumeCheck(checkpoint.path().toString());
    JsonNode began = Json.tree(required(checkpoint, CheckpointStore.CONFIGURATION));
    check.requireSame(began, run.configuration());
    check.requireSame(kept.dataset(), run.dataset());
    state.clear(rank.backend());
    loadWeights(checkpoint, state);
    loadMoments(step, state);
    tellWhatRanksChange(step, began.path("training").path("zero_stage"));
    return kept.progress();
  }

  /**
   * With fp32 on the wire nothing depends on ranks and stage, and with bf16 only in how many parts
   * a step's gradients cross.
   *
   * @param stage that the run was under; missing in checkpoints from before there was another
   */
  private void tellWhatRanksChange(int step, JsonNode stage) throws IOException {
    TrainingConfiguration training = run.configuration().training();
    int before = (int) store.files(step).stream().filter(OptimizerShard::isShard).count();
    int now = rank.collective().size();
    int began = stage.asInt(TrainingConfiguration.DEFAULTS.zeroStage());
    boolean alike = parts(began, before) == parts(training.zeroStage(), now);
    if (rank.isFirst() && training.wirePrecision() == Precision.BF16 && !alike) {
      listener.onMessage(
          "%d ranks under training.zero_stage %d go on where %d under training.zero_stage %d stopped: with training.wire_precision bf16 the weights depend on both, and will not be bit for bit those of a run that kept them"
              .formatted(now, training.zeroStage(), before, began));
    }
  }

  /** Under full sharding every micro-batch crosses alone. */
  private int parts(int stage, int ranks) {
    return stage == 3 && ranks > 1 ? run.configuration().training().microBatches() : ranks;
  }

  private void verify(int step) throws IOException {
    try {
      store.verify(step);
    } catch (CorruptCheckpointException unlike) {
      throw new CorruptCheckpointException(
          "rank %d does not see the checkpoint that rank 0 verified: %s; the run's folder must be on a file system that all ranks share"
              .formatted(rank.collective().rank(), unlike.getMessage()),
          unlike);
    }
  }

  private void loadWeights(RunFolder checkpoint, ModelState state) throws IOException {
    try (SafetensorsReader file =
        SafetensorsReader.open(HadoopByteSource.open(checkpoint, HuggingFaceModel.WEIGHTS))) {
      WeightFiles.read(
          state.layout(),
          List.of(file),
          (first, floats) -> state.write(rank.backend(), first, floats));
    }
    rank.backend().finish();
  }

  private void loadMoments(int step, ModelState state) throws IOException {
    try (OptimizerShards shards =
        OptimizerShards.open(store.folder(step), store.files(step), state.layout())) {
      shards.load(rank.backend(), state);
    }
  }

  private static byte[] required(RunFolder checkpoint, String name) throws IOException {
    return checkpoint
        .read(name)
        .orElseThrow(() -> new FileNotFoundException(checkpoint.resolve(name) + " is missing"));
  }
}
