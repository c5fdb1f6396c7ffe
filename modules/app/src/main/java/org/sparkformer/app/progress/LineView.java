package org.sparkformer.app.progress;

import java.io.PrintWriter;
import java.util.Locale;
import org.sparkformer.training.EvaluationMetrics;
import org.sparkformer.training.StepMetrics;

/** A line for each logged step, for files and pipes. */
final class LineView implements ProgressView {
  private final PrintWriter out;
  private final int steps;

  LineView(PrintWriter out, int steps) {
    this.out = out;
    this.steps = steps;
  }

  @Override
  public void step(StepMetrics metrics, double secondsLeft) {
    message(
        String.format(
            Locale.ROOT,
            "step %d/%d  loss %.4f  lr %.2e  %,.0f tokens/s%s",
            metrics.step(),
            steps,
            metrics.loss(),
            metrics.lr(),
            metrics.tokensPerSecond(),
            Double.isNaN(secondsLeft) ? "" : "  " + Durations.text(secondsLeft) + " left"));
  }

  @Override
  public void evaluation(EvaluationMetrics metrics) {
    message(
        String.format(
            Locale.ROOT,
            "step %d/%d  validation loss %.4f",
            metrics.step(),
            steps,
            metrics.valLoss()));
  }

  @Override
  public void message(String text) {
    out.println(text);
    out.flush();
  }

  @Override
  public void close() {
    out.flush();
  }
}
