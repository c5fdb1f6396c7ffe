package org.sparkformer.training;

import java.io.IOException;
import java.util.List;
import java.util.function.IntConsumer;
import org.sparkformer.collective.LeafRange;
import org.sparkformer.data.Split;
import org.sparkformer.models.DropoutSites;
import org.sparkformer.models.LanguageModel;
import org.sparkformer.models.ModelConfiguration;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Backend.Mark;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Tape;
import org.sparkformer.tensor.ops.AdamW;
import org.sparkformer.training.configuration.TrainingConfiguration;

/**
 * One optimizer step on one rank: this rank's micro-batches forward and backward, their gradients
 * added along the tree over all ranks, AdamW on this rank's slices of the sum, and everyone's
 * slices of the weights put together. All memory is taken before the first step.
 *
 * <p>B sequences a micro-batch, T tokens a sequence.
 */
final class TrainingStep implements AutoCloseable {
  private final Backend backend;
  private final TrainingConfiguration training;
  private final ModelConfiguration configuration;
  private final ModelState state;
  private final LearningRateSchedule schedule;
  private final LeafRange leaves;
  private final GradientAccumulator gradients;
  private final StepActivity activity;
  private final Communication communication;
  private final GradientExchange exchange;
  private final StepTotals totals;
  private final ParameterUpdate update;
  private final DeviceBatch batch;
  private final BlockReduction lossReduction;
  private final NormHistory norms;
  private final MicroBatchReader reader;
  private final StepClock clock;
  private final RunAhead ahead;
  private double loss = Double.NaN;

  /**
   * @param firstStep steps already done
   * @param activity told where the step is
   */
  TrainingStep(TrainingRun run, Rank rank, ModelState state, int firstStep, StepActivity activity) {
    this.activity = activity;
    this.communication = new Communication(activity);
    this.backend = rank.backend();
    this.training = run.configuration().training();
    this.configuration = run.configuration().model();
    this.state = state;
    this.schedule = LearningRateSchedule.of(training);
    this.leaves = rank.collective().ownedLeaves();
    this.gradients = new GradientAccumulator(rank, configuration, state.parameters());
    Buckets buckets = rank.buckets(state.layout());
    BucketTraffic traffic = rank.isAlone() ? null : new BucketTraffic(rank, buckets, communication);
    this.exchange = new GradientExchange(gradients, buckets, traffic);
    this.totals = new StepTotals(rank, buckets, communication);
    this.update = new ParameterUpdate(backend, state, traffic);
    this.batch = new DeviceBatch(backend, training.microBatchSize(), configuration.context());
    this.lossReduction =
        new BlockReduction(backend, (long) training.microBatchSize() * configuration.context());
    this.norms = new NormHistory(backend);
    this.reader =
        new MicroBatchReader(run.samples(Split.TRAIN), training, leaves, firstStep).start();
    this.clock = new StepClock(rank, communication);
    this.ahead = new RunAhead(backend, activity);
  }

  /**
   * Queues a step; waits only for tokens, for other ranks, and for the step before.
   *
   * @param step counted from 0
   * @param logged whether its loss and times will be asked for
   */
  void run(int step, boolean logged) throws IOException, InterruptedException {
    clock.beginStep(logged);
    activity.beginStep(step + 1);
    for (int leaf = leaves.from(); leaf < leaves.to() - 1; leaf++) {
      GradientBuffer buffer = gradients.next();
      passes(buffer, step, leaf, mark -> {});
      gradients.push(buffer);
    }
    GradientBuffer buffer = gradients.next();
    List<GradientBuffer> partials = gradients.pushLast(buffer);
    exchange.begin(partials);
    passes(buffer, step, leaves.to() - 1, exchange::reached);
    update(step, logged);
    gradients.release(partials);
    ahead.queued();
  }

  private void passes(GradientBuffer buffer, int step, int leaf, IntConsumer reached)
      throws IOException, InterruptedException {
    activity.begin("reading micro-batch " + leaf);
    MicroBatch tokens = clock.data(reader);
    activity.begin("forward and backward of micro-batch " + leaf);
    batch.upload(tokens);
    reader.recycle(tokens);
    DropoutSites dropouts =
        new DropoutSites(
            (float) configuration.dropout(),
            training.seed(),
            step,
            (long) leaf * training.microBatchSize());
    try (Tape tape = new Tape(backend, true, training.precision().operands())) {
      clock.passes(() -> forward(tape, buffer, dropouts), () -> tape.backward(reached));
    }
  }

  private void forward(Tape tape, GradientBuffer buffer, DropoutSites dropouts) {
    float scale = (float) (1 / targetsPerStep());
    buffer.model().loss(tape, batch.batch(), batch.losses(), scale, dropouts);
    // Before the backward pass, in which the buffer's tail may leave.
    lossReduction.run(batch.losses(), buffer.loss(), false);
  }

  private void update(int step, boolean logged) {
    Mark computed = clock.computed();
    exchange.reached(LanguageModel.END_OF_PASS);
    Tensor squaredNorm = norms.slot(step + 1);
    activity.begin("the sum of the gradients");
    clock.waitForRanks(computed, () -> sum(squaredNorm));
    activity.begin("the update of the weights");
    update.run(exchange.sum().gradients(), squaredNorm, settings(step));
    clock.waitForRanks(clock.computed(), update::collect);
    if (logged) {
      loss = totals.loss(exchange.sum().loss()) / targetsPerStep();
    }
  }

  private void sum(Tensor squaredNorm) {
    exchange.collect(index -> totals.add(index, exchange.sum().gradients()));
    totals.finish(squaredNorm, exchange.ownLoss());
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
    communication.close();
    gradients.close();
    batch.close();
    lossReduction.close();
    totals.close();
    norms.close();
  }
}
