package org.sparkformer.training.configuration;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.io.Serializable;
import java.util.Objects;

/**
 * How a run learns: section {@code training} of its configuration. Batch sizes count sequences,
 * steps are optimizer steps.
 *
 * @param steps optimizer steps of the whole run
 * @param batchSize sequences a step, over all ranks
 * @param microBatchSize sequences of one forward and backward pass. Divides {@code batchSize}; the
 *     micro-batches are the leaves of the fixed summation tree, so this value changes the rounding
 *     and the number of ranks does not
 * @param learningRate peak learning rate, reached after warm-up
 * @param minLearningRate where the cosine decay ends, at the last step
 * @param warmupSteps steps of linear warm-up
 * @param weightDecay decoupled decay (Loshchilov and Hutter 2019), on matrices only
 * @param clip largest global gradient norm; 0 does not clip
 * @param beta1 AdamW's decay of the first moment
 * @param beta2 AdamW's decay of the second moment
 * @param epsilon AdamW's denominator term
 * @param seed of initialisation, sample order and dropout
 * @param precision in which matrix products take their operands
 * @param wirePrecision in which gradients cross from rank to rank; with bf16 the weights depend on
 *     the number of ranks and on the stage
 * @param zeroStage what the ranks share out among them: 1 the optimizer's state, 3 weights and
 *     gradients too (Rajbhandari et al., arXiv:1910.02054)
 * @param overlap whether gradients leave while the backward pass still runs, and weights come while
 *     the next forward pass does
 * @param directRanks up to so many ranks gather weights from each other directly; more of them
 *     gather long vectors round a ring
 * @param connections that each pair of ranks keeps open, over which frames go in turn
 * @param evalInterval steps between evaluations; 0 evaluates at the end only
 * @param evalBatches batches of {@code batchSize} sequences an evaluation averages over
 * @param checkpointInterval steps between checkpoints; 0 writes one at the end only
 * @param keepCheckpoints newest checkpoints kept, at least 1
 * @param logInterval steps between metric lines, at least 1
 * @param stepTimeout seconds without any progress of a step, on any rank, after which it is ended
 * @param digestInterval steps between comparisons of the weights that the ranks hold; 0 compares at
 *     the end only
 * @param gradientCheckInterval steps between those whose gradients each rank computes twice, to
 *     compare; 0 computes none twice
 * @param spikeSigma deviations above the running mean from which a loss is a spike, whose batch is
 *     skipped; 0 skips none
 * @param spikeWindow steps that the running mean and deviation reach back, and that have to pass
 *     before the first spike
 */
@JsonNaming(SnakeCaseStrategy.class)
public record TrainingConfiguration(
    int steps,
    int batchSize,
    int microBatchSize,
    double learningRate,
    double minLearningRate,
    int warmupSteps,
    double weightDecay,
    double clip,
    double beta1,
    double beta2,
    double epsilon,
    long seed,
    Precision precision,
    Precision wirePrecision,
    int zeroStage,
    boolean overlap,
    int directRanks,
    int connections,
    int evalInterval,
    int evalBatches,
    int checkpointInterval,
    int keepCheckpoints,
    int logInterval,
    int stepTimeout,
    int digestInterval,
    int gradientCheckInterval,
    double spikeSigma,
    int spikeWindow)
    implements Serializable {

  /** So many spikes in a row are the fault of the weights, and of no batch. */
  public static final int SPIKES_IN_A_ROW = 5;

  /** Between two ranks. */
  private static final int MOST_CONNECTIONS = 64;

  public static final TrainingConfiguration DEFAULTS =
      new TrainingConfiguration(
          1000,
          8,
          1,
          6e-4,
          6e-5,
          100,
          0.1,
          1.0,
          0.9,
          0.95,
          1e-8,
          1337,
          Precision.FP32,
          Precision.FP32,
          1,
          true,
          16,
          1,
          250,
          20,
          250,
          2,
          10,
          600,
          0,
          0,
          0,
          100);

  public TrainingConfiguration {
    Objects.requireNonNull(precision, "training.precision");
    Objects.requireNonNull(wirePrecision, "training.wire_precision");
    atLeast("steps", steps, 1);
    atLeast("batch_size", batchSize, 1);
    atLeast("micro_batch_size", microBatchSize, 1);
    check(
        batchSize % microBatchSize == 0,
        "micro_batch_size must divide training.batch_size (" + batchSize + ")",
        microBatchSize);
    check(
        learningRate > 0 && learningRate < 10,
        "learning_rate must be above 0 and below 10",
        learningRate);
    check(
        minLearningRate >= 0 && minLearningRate <= learningRate,
        "min_learning_rate must be between 0 and training.learning_rate (" + learningRate + ")",
        minLearningRate);
    atLeast("warmup_steps", warmupSteps, 0);
    check(
        weightDecay >= 0 && weightDecay < 10,
        "weight_decay must be at least 0 and below 10",
        weightDecay);
    check(
        clip >= 0 && clip < Double.POSITIVE_INFINITY,
        "clip must be at least 0 (0: no clipping)",
        clip);
    check(beta1 >= 0 && beta1 < 1, "beta1 must be at least 0 and below 1", beta1);
    check(beta2 >= 0 && beta2 < 1, "beta2 must be at least 0 and below 1", beta2);
    check(epsilon > 0 && epsilon < 1, "epsilon must be above 0 and below 1", epsilon);
    check(
        zeroStage == 1 || zeroStage == 3,
        "zero_stage must be 1 (each rank keeps its share of the optimizer's state) or 3 (of weights and gradients too)",
        zeroStage);
    check(
        overlap || zeroStage == 1,
        "zero_stage must be 1 where training.overlap is false",
        zeroStage);
    atLeast("direct_ranks", directRanks, 1);
    check(
        connections >= 1 && connections <= MOST_CONNECTIONS,
        "connections must be between 1 and " + MOST_CONNECTIONS,
        connections);
    atLeast("eval_interval", evalInterval, 0);
    atLeast("eval_batches", evalBatches, 1);
    atLeast("checkpoint_interval", checkpointInterval, 0);
    atLeast("keep_checkpoints", keepCheckpoints, 1);
    atLeast("log_interval", logInterval, 1);
    atLeast("step_timeout", stepTimeout, 1);
    atLeast("digest_interval", digestInterval, 0);
    check(
        digestInterval == 0 || zeroStage == 1,
        "digest_interval compares the ranks' copies of the weights, of which training.zero_stage "
            + zeroStage
            + " keeps none: it must be 0",
        digestInterval);
    atLeast("gradient_check_interval", gradientCheckInterval, 0);
    check(
        gradientCheckInterval == 0 || zeroStage == 1,
        "gradient_check_interval compares sums of gradients that a rank holds, of which"
            + " training.zero_stage "
            + zeroStage
            + " keeps none whole: it must be 0",
        gradientCheckInterval);
    check(
        spikeSigma >= 0 && spikeSigma < Double.POSITIVE_INFINITY,
        "spike_sigma must be at least 0 (0: no batch is skipped)",
        spikeSigma);
    atLeast("spike_window", spikeWindow, 2);
    check(
        spikeSigma == 0
            || checkpointInterval == 0
            || (long) checkpointInterval * (keepCheckpoints - 1) >= spikeWindow + SPIKES_IN_A_ROW,
        "checkpoint_interval times one less than training.keep_checkpoints ("
            + keepCheckpoints
            + ") must reach back training.spike_window + "
            + SPIKES_IN_A_ROW
            + " steps ("
            + (spikeWindow + SPIKES_IN_A_ROW)
            + ") or be 0",
        checkpointInterval);
  }

  /** Steps from which spikes in a row may go back, counted from the newest checkpoint; or 0. */
  public int spikeReach() {
    return spikeSigma == 0 ? 0 : spikeWindow + SPIKES_IN_A_ROW;
  }

  /**
   * Micro-batches a step: the leaves of the summation tree, and the most ranks that can share a
   * step.
   */
  public int microBatches() {
    return batchSize / microBatchSize;
  }

  /** Whether the gradients of a step, counted from 1, are computed twice. */
  public boolean checksGradients(int step) {
    return gradientCheckInterval > 0 && step % gradientCheckInterval == 0;
  }

  /** Whether so many ranks keep only a share of the weights and gradients each. */
  public boolean sharesWeights(int ranks) {
    return zeroStage == 3 && ranks > 1;
  }

  /** A copy to change, for the many values that only a few runs set. */
  public TrainingConfigurationBuilder toBuilder() {
    return new TrainingConfigurationBuilder(this);
  }

  private static void atLeast(String key, int value, int least) {
    check(value >= least, key + " must be at least " + least, value);
  }

  private static void check(boolean holds, String rule, Number value) {
    if (!holds) {
      throw new IllegalArgumentException("training." + rule + ", but is " + value);
    }
  }
}
