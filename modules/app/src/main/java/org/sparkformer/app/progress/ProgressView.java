package org.sparkformer.app.progress;

import org.sparkformer.training.EvaluationMetrics;
import org.sparkformer.training.StepMetrics;

/** How progress is shown: a bar on a terminal, else plain lines. */
interface ProgressView extends AutoCloseable {
  /**
   * @param secondsLeft estimate; NaN while nothing is known
   */
  void step(StepMetrics metrics, double secondsLeft);

  void evaluation(EvaluationMetrics metrics);

  void message(String text);

  @Override
  void close();
}
