package org.sparkformer.app.progress;

import java.io.PrintWriter;
import java.util.Locale;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.sparkformer.training.EvaluationMetrics;
import org.sparkformer.training.StepMetrics;

/** A bar that is drawn over and over in one line of a terminal. */
final class BarView implements ProgressView {
  private static final int REDRAW_MILLISECONDS = 200;
  private static final String CLEAR_LINE = "\r\u001b[K";

  private final PrintWriter out;
  private final ProgressBar bar;

  BarView(PrintWriter out, int done, int steps) {
    this.out = out;
    bar =
        new ProgressBarBuilder()
            .setTaskName("step")
            .setInitialMax(steps)
            .startsFrom(done, java.time.Duration.ZERO)
            .setStyle(ProgressBarStyle.COLORFUL_UNICODE_BLOCK)
            .setUpdateIntervalMillis(REDRAW_MILLISECONDS)
            .hideEta()
            // Draws over its own line alone, so that messages can be printed above the bar.
            .setConsumer(new ConsoleProgressBarConsumer(System.err, columns()))
            .build();
  }

  /** Width of the terminal, which the launcher tells; Java cannot ask. */
  private static int columns() {
    String columns = System.getenv("COLUMNS");
    return columns != null && columns.matches("[1-9][0-9]{0,4}") ? Integer.parseInt(columns) : 80;
  }

  @Override
  public void step(StepMetrics metrics, double secondsLeft) {
    bar.stepTo(metrics.step());
    bar.setExtraMessage(
        String.format(
            Locale.ROOT,
            " loss %.3f  %,.0f tokens/s%s",
            metrics.loss(),
            metrics.tokensPerSecond(),
            Double.isNaN(secondsLeft) ? "" : "  " + Durations.text(secondsLeft) + " left"));
  }

  @Override
  public void evaluation(EvaluationMetrics metrics) {
    message(
        String.format(
            Locale.ROOT, "step %,d  validation loss %.4f", metrics.step(), metrics.valLoss()));
  }

  @Override
  public void message(String text) {
    out.print(CLEAR_LINE + text + System.lineSeparator());
    out.flush();
  }

  @Override
  public void close() {
    bar.close();
  }
}
