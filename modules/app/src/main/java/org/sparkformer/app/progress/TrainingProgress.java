package org.sparkformer.app.progress;

import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import org.sparkformer.training.EvaluationMetrics;
import org.sparkformer.training.StepMetrics;
import org.sparkformer.training.TrainingListener;
import org.sparkformer.training.TrainingStart;

/** Shows a run while it goes on, and does not hold it up. */
public final class TrainingProgress implements TrainingListener, AutoCloseable {
  private final PrintWriter out;
  private final boolean terminal;
  private TrainingStart start;
  private int firstStep;
  private long firstNanos;
  private ProgressView view;

  /**
   * @param terminal whether {@code out} is one, on which lines can be drawn over
   */
  public TrainingProgress(PrintWriter out, boolean terminal) {
    this.out = new PrintWriter(new QueuedWriter(out));
    this.terminal = terminal;
    this.view = new LineView(this.out, 0);
  }

  /** Whether the launcher saw that standard error is a terminal; without launcher, the console. */
  public static boolean onTerminal() {
    String told = System.getProperty("org.sparkformer.terminal");
    return told == null ? System.console() != null : Boolean.parseBoolean(told);
  }

  @Override
  public void onStart(TrainingStart begun) {
    view.close();
    view = new LineView(out, begun.steps());
    view.message("device   " + begun.device());
    view.message(
        "training %,d parameters on %d %s%s"
            .formatted(
                begun.parameters(),
                begun.ranks(),
                begun.ranks() == 1 ? "rank" : "ranks",
                begun.step() == 0 ? "" : ", from step " + begun.step() + " on"));
    if (start == null) {
      view.message(String.format(Locale.ROOT, "started  in %.2f s", secondsSinceLaunch()));
    }
    start = begun;
    firstStep = 0;
    if (terminal) {
      view = new BarView(out, begun.step(), begun.steps());
    }
  }

  @Override
  public void onStep(StepMetrics metrics) {
    view.step(metrics, secondsLeft(metrics.step()));
  }

  /**
   * Since the command was given, as its launcher has it, or since Java began. The start that the
   * system tells of a process may be off by a second: Linux adds it to a boot time in whole
   * seconds.
   */
  private static double secondsSinceLaunch() {
    Long micros = Long.getLong("org.sparkformer.launched");
    long launched =
        micros == null ? ManagementFactory.getRuntimeMXBean().getStartTime() : micros / 1000;
    return (System.currentTimeMillis() - launched) / 1e3;
  }

  /**
   * From the steps of this session, evaluations and all; not the first, on which kernels are built.
   */
  private double secondsLeft(int step) {
    long now = System.nanoTime();
    if (firstStep == 0) {
      firstStep = step;
      firstNanos = now;
      return Double.NaN;
    }
    double perStep = (now - firstNanos) * 1e-9 / (step - firstStep);
    return perStep * (start.steps() - step);
  }

  @Override
  public void onEvaluation(EvaluationMetrics metrics) {
    view.evaluation(metrics);
  }

  @Override
  public void onMessage(String message) {
    view.message(message);
  }

  @Override
  public void close() {
    view.close();
    out.close();
  }
}
