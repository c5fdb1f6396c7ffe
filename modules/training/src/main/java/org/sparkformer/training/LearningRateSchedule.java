package org.sparkformer.training;

import org.sparkformer.training.configuration.TrainingConfiguration;

/**
 * Linear warm-up, then cosine decay, nanoGPT's {@code get_lr} with the decay reaching its end at
 * the last step: with s counted from 0, lr = max (s + 1) / (warmup + 1) for s &lt; warmup, then min
 * + (max - min) (1 + cos(pi (s - warmup) / (steps - warmup))) / 2.
 *
 * @param max peak learning rate
 * @param min where the decay ends
 * @param warmup steps of warm-up
 * @param steps steps of the whole run
 */
public record LearningRateSchedule(double max, double min, int warmup, int steps) {

  public static LearningRateSchedule of(TrainingConfiguration training) {
    return new LearningRateSchedule(
        training.learningRate(),
        training.minLearningRate(),
        training.warmupSteps(),
        training.steps());
  }

  /** The rate of a step counted from 0; {@code min} past the end. */
  public double at(int step) {
    if (step < warmup) {
      return max * (step + 1) / (warmup + 1);
    }
    if (step >= steps) {
      return min;
    }
    double progress = (double) (step - warmup) / (steps - warmup);
    return min + (max - min) * 0.5 * (1 + StrictMath.cos(Math.PI * progress));
  }
}
