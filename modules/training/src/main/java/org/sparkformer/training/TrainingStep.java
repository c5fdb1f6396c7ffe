package org.sparkformer.training;

import java.io.IOException;
import org.sparkformer.collective.LeafRange;
import org.sparkformer.data.Split;
import org.sparkformer.models.DropoutSites;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Tape;
import org.sparkformer.tensor.ops.AdamW;
import org.sparkformer.training.configuration.TrainingConfiguration;

/**
 * One optimizer step on one rank: this rank's micro-batches forward and backward, their gradients
 * added along the tree over all ranks, AdamW on the sum. Every rank applies the same update, so all
 * hold the same weights. All memory is taken before the first step.
 *
 * <p>B sequences a micro-batch, T tokens a sequence.
 */
final class TrainingStep implements AutoCloseable {
  private final Backend backend;
  private final TrainingConfiguration training;
  private final GptConfiguration configuration;
  private final ModelState state;
  private final LearningRateSchedule schedule;
  private final LeafRange leaves;
  private final boolean amongRanks;
  private final GradientAccumulator gradients;
  private final DeviceBatch batch;
  private final BlockReduction lossReduction;
  private final BlockReduction normReduction;
  private final NormHistory norms;
  private final MicroBatchReader reader;
  private final StepClock clock;
  private double loss = Double.NaN;

  /**
   * @param firstStep steps already done
   */
  TrainingStep(TrainingRun run, Rank rank, ModelState state, int firstStep) {
    this.backend = rank.backend();
    this.training = run.configuration().training();
    this.configuration = run.configuration().model();
    this.state = state;
    this.schedule = LearningRateSchedule.of(training);
    this.leaves = rank.collective().ownedLeaves();
    this.amongRanks = !rank.isAlone();
    this.gradients = new GradientAccumulator(rank, configuration, state.parameters());
    this.batch = new DeviceBatch(backend, training.microBatchSize(), configuration.context());
    this.lossReduction =
        new BlockReduction(backend, (long) training.microBatchSize() * configuration.context());
    this.normReduction = new BlockReduction(backend, state.layout().size());
    this.norms = new NormHistory(backend);
    this.reader =
        new MicroBatchReader(run.samples(Split.TRAIN), training, leaves, firstStep).start();
    this.clock = new StepClock(backend);
  }

  /**
   * Queues a step; waits only for tokens and for other ranks.
   *
   * @param step counted from 0
   * @param logged whether its loss and times will be asked for
   */
  void run(int step, boolean logged) throws IOException, InterruptedException {
    clock.beginStep(logged);
    for (int leaf = leaves.from(); leaf < leaves.to(); leaf++) {
      GradientBuffer buffer = gradients.next();
      passes(buffer, step, leaf);
      lossReduction.run(batch.losses(), buffer.loss(), false);
      gradients.push(buffer);
    }
    GradientBuffer sum = clock.allReduce(amongRanks, gradients::sum);
    update(step, sum);
    if (logged) {
      loss = backend.readFloats(sum.loss())[0] / targetsPerStep();
    }
    gradients.release(sum);
  }

  private void passes(GradientBuffer buffer, int step, int leaf)
      throws IOException, InterruptedException {
    MicroBatch tokens = clock.data(reader);
    batch.upload(tokens);
    reader.recycle(tokens);
    float scale = (float) (1 / targetsPerStep());
    DropoutSites dropouts =
        new DropoutSites(
            (float) configuration.dropout(),
            training.seed(),
            step,
            (long) leaf * training.microBatchSize());
    try (Tape tape = new Tape(backend, true, training.precision().operands())) {
      clock.passes(
          () ->
              buffer
                  .model()
                  .loss(tape, batch.tokens(), batch.targets(), batch.losses(), scale, dropouts),
          tape::backward);
    }
  }

  private void update(int step, GradientBuffer sum) {
    Tensor squaredNorm = norms.slot(step + 1);
    normReduction.run(sum.gradients(), squaredNorm, true);
    backend.run(
        new AdamW(
            state.parameters(),
            sum.gradients(),
            state.firstMoment(),
            state.secondMoment(),
            squaredNorm,
            settings(step)));
  }

  private AdamW.Settings settings(int step) {
    return new AdamW.Settings(
        (float) schedule.at(step),
        (float) training.beta1(),
        (float) training.beta2(),
        (float) training.epsilon(),
        (float) training.weightDecay(),
        state.layout().decayed(),
        (float) training.clip(),
        step + 1);
  }

  private double targetsPerStep() {
    return (double) training.batchSize() * configuration.context();
  }

  /** Mean loss of the last logged step's batch. */
  double loss() {
    return loss;
  }

  /** Learning rate of a step counted from 0. */
  double learningRate(int step) {
    return schedule.at(step);
  }

  /**
   * Waits for all steps so far; the last one's gradient norm.
   *
   * @throws NonFiniteGradientException if a step's norm was not finite
   */
  double gradientNorm() {
    return norms.check();
  }

  StepClock clock() {
    return clock;
  }

  @Override
  public void close() {
    reader.close();
    gradients.close();
    batch.close();
    lossReduction.close();
    normReduction.close();
    norms.close();
  }
}
