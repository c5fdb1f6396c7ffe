package org.sparkformer.training;

/**
 * The {@code state.json} of a checkpoint: where the run stands. Sample order and dropout are pure
 * functions of seed and step, so these are all the random state there is.
 *
 * @param progress steps done, last losses, time spent
 * @param nextSample global number of the next step's first sample
 * @param seed of the run
 * @param dataset fingerprint of the tokens trained on
 */
public record CheckpointState(RunProgress progress, long nextSample, long seed, String dataset) {
  public static final String FILE_NAME = "state.json";
}
