package org.sparkformer.training;

import java.io.IOException;
import org.sparkformer.collective.Collective;
import org.sparkformer.collective.CollectiveException;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.tensor.Backend;
import org.sparkformer.training.configuration.TrainingConfiguration;

/**
 * One rank's whole training: restores or initialises, runs every step, evaluates, checkpoints and
 * reports. Rank 0 alone writes to the run's folder and speaks to the listener.
 *
 * <p>Uses the backend and the collective from the calling thread; their owner closes them, and has
 * to close the collective where {@link #train} throws, so that the other ranks stop too.
 */
public final class RankTrainer {
  private final TrainingRun run;
  private final Rank rank;
  private final TrainingListener listener;

  /**
   * @param collective its tree has one leaf a micro-batch: {@code batch_size / micro_batch_size}
   * @param listener hears on rank 0 only; {@link TrainingListener#beforeCommit} is asked on all
   */
  public RankTrainer(
      TrainingRun run, Backend backend, Collective collective, TrainingListener listener) {
    this(run, new Rank(backend, collective, Buckets.Sizes.STANDARD), listener);
  }

  RankTrainer(TrainingRun run, Rank rank, TrainingListener listener) {
    this.run = run;
    this.rank = rank;
    this.listener = listener;
    Collective collective = rank.collective();
    TrainingConfiguration training = run.configuration().training();
    if (collective.tree().leaves() != training.microBatches()) {
      throw new IllegalArgumentException(
          "the collective sums %d micro-batches, the run has %d a step"
              .formatted(collective.tree().leaves(), training.microBatches()));
    }
  }

  /**
   * Trains to the last step, or to the one after which {@link TrainingListener#isToStop} was heard:
   * its checkpoint is committed then, and no {@code run.json} written.
   *
   * @return what came of it, with the steps done; the same on every rank but for device and wall
   *     time
   * @throws IllegalArgumentException if the device has too little memory, or the folder holds
   *     checkpoints that this run cannot go on from
   * @throws NonFiniteGradientException if training diverges
   * @throws LossSpikeException if the loss stays far above what it was, whatever is skipped
   * @throws ReplicasDifferException if the ranks hold different weights
   * @throws StuckStepException if a step of this rank does not move
   * @throws CollectiveException if another rank fails
   * @throws InterruptedException if this thread is interrupted
   */
  public RunSummary train() throws IOException, InterruptedException {
    requireMemory();
    TrainingConfiguration training = run.configuration().training();
    CheckpointStore store =
        new CheckpointStore(run.folder(), training.keepCheckpoints(), training.spikeReach());
    CheckpointRestorer restorer = new CheckpointRestorer(run, rank, store, listener);
    try (ModelState state = allocate()) {
      RunProgress start = restorer.restore(state);
      while (true) {
        try {
          return train(state, store, restorer.metrics(start), start);
        } catch (LossSpikeException spikes) {
          start = goBack(restorer, state, spikes);
        }
      }
    }
  }

  private ModelState allocate() {
    ParameterLayout layout = run.configuration().model().layout();
    int ranks = rank.collective().size();
    boolean whole = !run.configuration().training().sharesWeights(ranks);
    Buckets buckets = whole ? rank.buckets(layout) : rank.units(layout).buckets();
    return ModelState.allocate(
        rank.backend(),
        buckets,
        rank.collective().rank(),
        whole,
        run.configuration().training().precision().operands());
  }

  private RunSummary train(
      ModelState state, CheckpointStore store, byte[] earlierLines, RunProgress start)
      throws IOException, InterruptedException {
    try (RunRecorder recorder = recorder(state, store, earlierLines)) {
      return train(state, start, recorder);
    }
  }

  private RunSummary train(ModelState state, RunProgress start, RunRecorder recorder)
      throws IOException, InterruptedException {
    try (TrainingSession session = new TrainingSession(run, rank, state, start, recorder)) {
      return session.run();
    } catch (InterruptedException e) {
      // Closing the recorder must know: it then gives up what is being written, for which it would
      // else wait, and that may be for a rank that is stopped.
      Thread.currentThread().interrupt();
      throw e;
    }
  }

  /**
   * To where the weights may still have been sound: what is skipped depends on the spikes alone,
   * and not on which checkpoints there are.
   */
  private RunProgress goBack(
      CheckpointRestorer restorer, ModelState state, LossSpikeException spikes)
      throws IOException, InterruptedException {
    if (!spikes.mayGoBack()) {
      throw spikes;
    }
    int first = spikes.first() - run.configuration().training().spikeWindow();
    return restorer.goBack(first, spikes, state).withSkipped(first, spikes.last());
  }

  private void requireMemory() {
    MemoryEstimate.of(run.configuration(), rank)
        .requireFits(run.configuration(), MemoryEstimate.DeviceMemory.of(rank.backend()));
  }

  private RunRecorder recorder(ModelState state, CheckpointStore store, byte[] earlierLines) {
    return rank.isFirst()
        ? new RankZeroRecorder(run, rank, state, store, earlierLines, listener)
        : new ShardRecorder(run, rank, state, store, listener::beforeCommit);
  }
}
