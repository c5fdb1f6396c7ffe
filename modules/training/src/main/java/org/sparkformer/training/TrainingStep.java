package org.sparkformer.training;

import java.io.IOException;
import java.util.function.DoublePredicate;
import org.sparkformer.data.Samples;
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
 * added along the tree over all ranks, AdamW on this rank's slices of the sum, and what the next
 * step needs of everyone's slices put together. All memory is taken before the first step.
 *
 * <p>B sequences a micro-batch, T tokens a sequence.
 */
final class TrainingStep implements AutoCloseable {
  private final Rank rank;
  private final Backend backend;
  private final TrainingConfiguration training;
  private final ModelConfiguration configuration;
  private final ModelState state;
  private final LearningRateSchedule schedule;
  private final StepActivity activity;
  private final Communication communication;
  private final Sharding sharding;
  private final DeviceBatch batch;
  private final BlockReduction lossReduction;
  private final NormHistory norms;
  private final MicroBatchReader reader;
  private final StepClock clock;
  private final RunAhead ahead;
  private final double targetsPerStep;
  private double loss = Double.NaN;

  /** What is done where a step is about to change weights and moments. */
  @FunctionalInterface
  interface BeforeUpdate {
    void run() throws IOException;
  }

  /**
   * @param start what is done already
   * @param activity told where the step is
   */
  TrainingStep(
      TrainingRun run, Rank rank, ModelState state, RunProgress start, StepActivity activity) {
    this.rank = rank;
    this.activity = activity;
    this.backend = rank.backend();
    this.training = run.configuration().training();
    this.communication = new Communication(activity, training.wirePrecision());
    this.configuration = run.configuration().model();
    this.state = state;
    this.schedule = LearningRateSchedule.of(training);
    this.sharding =
        state.whole()
            ? new OptimizerSharding(rank, configuration, state, communication, training.overlap())
            : new FullSharding(rank, configuration, state, communication);
    Samples samples = run.samples(Split.TRAIN);
    this.batch = new DeviceBatch(backend, training.microBatchSize(), samples, false);
    this.lossReduction =
        new BlockReduction(backend, (long) training.microBatchSize() * samples.targets());
    this.targetsPerStep = (double) training.batchSize() * samples.targets();
    this.norms = new NormHistory(backend);
    this.reader = new MicroBatchReader(samples, training, sharding.leaves(), start).start();
    this.clock = new StepClock(rank, communication);
    this.ahead = new RunAhead(backend, activity);
  }

  /**
   * Queues a step; waits only for tokens, for other ranks, and for the step before. Weights of
   * other ranks may come during the next: see {@link #collect}.
   *
   * @param step counted from 0
   * @param logged whether its loss and times will be asked for
   * @param isSpike asked about the loss, where spikes are looked for
   * @param beforeUpdate called when all but the update of weights and moments is queued; the ranks
   *     may exchange something then
   * @return false if the loss is a spike: nothing was updated, on any rank
   */
  boolean run(int step, boolean logged, DoublePredicate isSpike, BeforeUpdate beforeUpdate)
      throws IOException, InterruptedException {
    clock.beginStep(logged);
    activity.beginStep(step + 1);
    boolean checked = training.checksGradients(step + 1);
    String rehearsed = checked ? rehearse(step) : null;
    Mark computed = null;
    for (int index = 0; index < sharding.leaves().size(); index++) {
      passes(sharding.begin(index), step, sharding.leaves().get(index));
      computed = clock.computed();
      sharding.end();
    }
    if (checked && !gradientsDigest().equals(rehearsed)) {
      throw new GradientsDifferException(step + 1);
    }
    Tensor squaredNorm = sum(step, computed);
    boolean updated = isSound(isSpike);
    if (updated) {
      activity.begin("the copy of a checkpoint");
      beforeUpdate.run();
      update(step, logged, squaredNorm);
    }
    ahead.queued();
    return updated;
  }

  /**
   * Computes the step's gradients and gives them up.
   *
   * @return their digest
   */
  private String rehearse(int step) throws IOException, InterruptedException {
    for (int leaf : sharding.leaves()) {
      passes(sharding.rehearse(), step, leaf);
      sharding.end();
    }
    return gradientsDigest();
  }

  private String gradientsDigest() {
    activity.beginUnlimited("the digest of the gradients");
    return sharding.gradientsDigest();
  }

  private void passes(Sharding.Pass pass, int step, int leaf)
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
      clock.passes(() -> forward(tape, pass, dropouts), () -> tape.backward(pass.reached()));
    }
  }

  private void forward(Tape tape, Sharding.Pass pass, DropoutSites dropouts) {
    float scale = (float) (1 / targetsPerStep);
    pass.model().loss(tape, batch.batch(), scale, dropouts);
    // Before the backward pass, in which the sum's place may leave.
    lossReduction.run(batch.losses(), pass.loss(), false);
    sharding.collect();
  }

  /** The squared norm of the summed gradients. */
  private Tensor sum(int step, Mark computed) {
    // Where this rank had no forward pass.
    sharding.collect();
    Tensor squaredNorm = norms.slot(step + 1);
    activity.begin("the sum of the gradients");
    clock.waitForGradients(computed, () -> sharding.sum(squaredNorm));
    if (isDigestDue(step + 1)) {
      digest("before the update of step " + (step + 1));
    }
    return squaredNorm;
  }

  /** False where the loss is a spike: its gradients are left alone then. */
  private boolean isSound(DoublePredicate isSpike) {
    if (watchesLoss() && isSpike.test(readLoss())) {
      norms.forgive();
      sharding.leave();
      return false;
    }
    return true;
  }

  private void update(int step, boolean logged, Tensor squaredNorm) {
    activity.begin("the update of the weights");
    sharding.update(squaredNorm, settings(step));
    if (logged && !watchesLoss()) {
      readLoss();
    }
  }

  /** Before the update, which overwrites all copies but one of each weight. */
  private boolean isDigestDue(int number) {
    int interval = training.digestInterval();
    return !rank.isAlone() && interval > 0 && number % interval == 0;
  }

  private boolean watchesLoss() {
    return training.spikeSigma() > 0;
  }

  private double readLoss() {
    loss = sharding.loss() / targetsPerStep;
    return loss;
  }

  /**
   * The digest of the weights, compared over all ranks.
   *
   * @param when this is, for people
   * @throws ReplicasDifferException naming the ranks that are outvoted
   */
  String digest(String when) {
    activity.beginUnlimited("the digest of the weights");
    WeightsDigest weights = new WeightsDigest(state.layout());
    sharding.read(weights);
    return ReplicaDigests.requireSame(rank.collective(), weights.hex(), when);
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

  /** Waits for weights of other ranks: before anything but another step. */
  void collect() {
    sharding.collect();
  }

  /** Mean loss of the batch of the last step that was logged, or looked at for spikes. */
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

  /** The model for forward passes alone, of which every rank has to run as many. */
  LanguageModel forwardOnly() {
    return sharding.forwardOnly();
  }

  /** The weights after the last step. */
  WholeWeights weights() {
    return sharding;
  }

  StepClock clock() {
    return clock;
  }

  @Override
  public void close() {
    reader.close();
    communication.close();
    sharding.close();
    batch.close();
    lossReduction.close();
    norms.close();
  }
}
