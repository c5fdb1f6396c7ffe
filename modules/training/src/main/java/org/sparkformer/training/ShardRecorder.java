package org.sparkformer.training;

import java.io.IOException;
import java.util.List;

/** What a rank other than rank 0 keeps of a run: its part of the optimizer's state. */
final class ShardRecorder implements RunRecorder {
  private final CheckpointSnapshot snapshot;
  private final WriterThread files;
  private final CheckpointWriter checkpoints;

  /**
   * @param guard asked before a file is created
   */
  ShardRecorder(
      TrainingRun run,
      Rank rank,
      ModelState state,
      CheckpointStore store,
      CheckpointStore.Guard guard) {
    this.snapshot = new CheckpointSnapshot(run, rank, state);
    this.files = new WriterThread(run.folder());
    this.checkpoints = new CheckpointWriter(store, rank.collective(), guard, files);
  }

  @Override
  public void checkpoint(RunProgress progress, WholeWeights weights) throws IOException {
    weights.help();
    checkpoints.start(progress.step(), List.of(snapshot.takeShard()));
  }

  @Override
  public void beforeUpdate() {
    snapshot.detach();
  }

  @Override
  public void settle() throws IOException, InterruptedException {
    checkpoints.await();
  }

  @Override
  public void finished(RunSummary summary) throws IOException, InterruptedException {
    settle();
  }

  @Override
  public void close() throws IOException {
    try (files) {
      checkpoints.close();
    }
  }
}
