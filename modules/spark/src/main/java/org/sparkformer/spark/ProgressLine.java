package org.sparkformer.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import java.util.stream.Stream;
import org.sparkformer.spark.transport.DriverClient;
import org.sparkformer.training.EvaluationMetrics;
import org.sparkformer.training.Json;
import org.sparkformer.training.LeaseCheck;
import org.sparkformer.training.StepMetrics;
import org.sparkformer.training.TrainingListener;
import org.sparkformer.training.TrainingStart;

/** What rank 0 tells the driver, a line of JSON; one of its parts is there, the others are null. */
record ProgressLine(
    TrainingStart start,
    StepMetrics step,
    EvaluationMetrics evaluation,
    Checkpoint checkpoint,
    String stuck,
    String message) {

  ProgressLine {
    long parts =
        Stream.of(start, step, evaluation, checkpoint, stuck, message)
            .filter(Objects::nonNull)
            .count();
    if (parts != 1) {
      throw new IllegalArgumentException("a line of %d parts, where one is said".formatted(parts));
    }
  }

  /** A committed checkpoint. */
  record Checkpoint(int step, String path) {
    Checkpoint {
      Objects.requireNonNull(path, "a checkpoint without a path");
    }
  }

  /**
   * @throws IOException if it is no such line
   */
  static ProgressLine parse(String line) throws IOException {
    return Json.read(line.getBytes(StandardCharsets.UTF_8), ProgressLine.class);
  }

  String text() {
    return Json.line(this);
  }

  /** Repeats it to a listener. */
  void tell(TrainingListener listener) {
    if (start != null) {
      listener.onStart(start);
    } else if (step != null) {
      listener.onStep(step);
    } else if (evaluation != null) {
      listener.onEvaluation(evaluation);
    } else if (checkpoint != null) {
      listener.onCheckpoint(checkpoint.step(), checkpoint.path());
    } else if (stuck != null) {
      listener.onStuck(stuck);
    } else {
      listener.onMessage(message);
    }
  }

  /**
   * Hears nothing, and lets a rank that does not report write as long as the driver wants its
   * attempt and the folder is its run's.
   */
  record Fenced(DriverClient driver, LeaseCheck lease) implements TrainingListener {
    @Override
    public void beforeCommit() throws IOException {
      driver.requireAdmitted();
      lease.requireOwner();
    }
  }

  /** Turns what it hears into lines, as long as the folder is this run's to write. */
  record Relay(DriverClient sink, LeaseCheck lease, Duration recheck) implements TrainingListener {
    @Override
    public void onStart(TrainingStart start) {
      sink.send(new ProgressLine(start, null, null, null, null, null).text());
    }

    @Override
    public void onStep(StepMetrics metrics) {
      requireLease();
      sink.send(new ProgressLine(null, metrics, null, null, null, null).text());
    }

    @Override
    public void onEvaluation(EvaluationMetrics metrics) {
      requireLease();
      sink.send(new ProgressLine(null, null, metrics, null, null, null).text());
    }

    @Override
    public void onCheckpoint(int step, String path) {
      sink.send(new ProgressLine(null, null, null, new Checkpoint(step, path), null, null).text());
    }

    @Override
    public void beforeCommit() throws IOException {
      sink.requireAdmitted();
      lease.requireOwner();
    }

    @Override
    public boolean isToStop() throws IOException {
      lease.requireOwnerWithin(recheck);
      return sink.isToStop();
    }

    @Override
    public void onStuck(String report) {
      sink.send(new ProgressLine(null, null, null, null, report, null).text());
    }

    private void requireLease() {
      try {
        lease.requireOwnerWithin(recheck);
      } catch (IOException lost) {
        throw new UncheckedIOException(lost.getMessage(), lost);
      }
    }

    @Override
    public void onMessage(String message) {
      sink.send(new ProgressLine(null, null, null, null, null, message).text());
    }
  }
}
