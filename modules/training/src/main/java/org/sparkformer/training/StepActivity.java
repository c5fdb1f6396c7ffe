package org.sparkformer.training;

import java.time.Duration;
import java.util.function.Consumer;
import org.sparkformer.collective.Activity;

/**
 * Where a rank is in its step, for whoever has to explain why the step does not end. Told by the
 * training thread and by the communication thread, asked by the collective's.
 */
final class StepActivity implements Activity {
  private static final Moment NOTHING = new Moment(null, false, 0);

  private final Thread trainer = Thread.currentThread();
  private final Consumer<String> onStuck;
  private volatile int step;
  private volatile Moment training = NOTHING;
  private volatile Moment exchange = NOTHING;
  private volatile String report;

  /**
   * Something that has begun.
   *
   * @param what null for nothing
   * @param limited whether it can be stuck
   */
  private record Moment(String what, boolean limited, long sinceNanos) {
    static Moment now(String what, boolean limited) {
      return new Moment(what, limited, System.nanoTime());
    }

    Duration age() {
      return Duration.ofNanos(System.nanoTime() - sinceNanos);
    }

    @Override
    public String toString() {
      return "%s for %.1f s".formatted(what, age().toMillis() / 1000.0);
    }
  }

  /**
   * Of the calling thread, which is the training thread.
   *
   * @param onStuck told on another thread that this one is stuck
   */
  StepActivity(Consumer<String> onStuck) {
    this.onStuck = onStuck;
  }

  /** Told to nobody. */
  static StepActivity unwatched() {
    return new StepActivity(report -> {});
  }

  /**
   * A step begins.
   *
   * @param number counted from 1
   */
  void beginStep(int number) {
    step = number;
  }

  /** The training thread begins with something that ends soon, or else is stuck. */
  void begin(String what) {
    training = Moment.now(what, true);
  }

  /** The training thread begins with something that may take its time. */
  void beginUnlimited(String what) {
    training = Moment.now(what, false);
  }

  /** The communication thread begins with an exchange. */
  void beginExchange(String what) {
    exchange = Moment.now(what, true);
  }

  void endExchange() {
    exchange = Moment.now(null, true);
  }

  @Override
  public String description() {
    Moment now = training;
    Moment other = exchange;
    return "step " + step + ", " + now + (other.what() == null ? "" : ", " + other);
  }

  /** Whatever moved last counts. */
  @Override
  public Duration stillness() {
    Duration one = training.age();
    Duration other = exchange.age();
    if (!training.limited()) {
      return Duration.ZERO;
    }
    return one.compareTo(other) < 0 ? one : other;
  }

  /** Wakes the training thread, where it can be woken. */
  @Override
  public void stuck(String text) {
    report = text;
    trainer.interrupt();
    onStuck.accept(text);
  }

  /**
   * @throws StuckStepException where this rank was stuck, instead of what came of it
   */
  void explain(Exception ending) {
    if (report != null) {
      throw new StuckStepException(report, ending);
    }
  }
}
