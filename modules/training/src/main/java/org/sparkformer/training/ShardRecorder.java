package org.sparkformer.training;

import java.io.IOException;
import java.util.List;

/** What a rank other than rank 0 keeps of a run: its part of the optimizer's state. */
final class ShardRecorder implements RunRecorder {
  private final CheckpointSnapshot snapshot;
  private final CheckpointWriter checkpoints;

  ShardRecorder(TrainingRun run, Rank rank, ModelState state, CheckpointStore store) {
    this.snapshot = new CheckpointSnapshot(run, rank, state);
    this.checkpoints = new CheckpointWriter(store, rank.collective(), CheckpointStore.Guard.SOLE);
  }

  @Override
  public void check() throws IOException, InterruptedException {
    checkpoints.poll();
  }

  @Override
  public void checkpoint(RunProgress progress) throws IOException, InterruptedException {
    checkpoints.await();
    checkpoints.begin(progress.step());
    checkpoints.start(List.of(snapshot.takeShard()));
  }

  @Override
  public void finished(RunSummary summary) throws IOException, InterruptedException {
    checkpoints.await();
  }

  @Override
  public void close() throws IOException {
    checkpoints.close();
  }
}
