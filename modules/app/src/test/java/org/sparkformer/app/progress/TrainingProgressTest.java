package org.sparkformer.app.progress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.FilterWriter;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.sparkformer.training.EvaluationMetrics;
import org.sparkformer.training.StepMetrics;
import org.sparkformer.training.TrainingStart;

class TrainingProgressTest {
  private final StringWriter text = new StringWriter();

  @Test
  void writesPlainLinesWhereThereIsNoTerminal() {
    try (TrainingProgress progress = new TrainingProgress(new PrintWriter(text), false)) {
      progress.onMessage("resuming from step 4");
      progress.onStart(new TrainingStart(4, 8, 2, 1234, "a device"));
      progress.onStep(metrics(5));
      progress.onStep(metrics(6));
      progress.onEvaluation(new EvaluationMetrics(6, 2.5));
    }
    List<String> lines = text.toString().lines().toList();
    assertEquals(
        List.of(
            "resuming from step 4",
            "device   a device",
            "training 1,234 parameters on 2 ranks, from step 4 on"),
        lines.subList(0, 3));
    assertTrue(lines.get(3).matches("started  in \\d+\\.\\d\\d s"), lines.get(3));
    assertEquals("step 5/8  loss 3.2500  lr 1.00e-03  12,345 tokens/s", lines.get(4));
    assertTrue(lines.get(5).startsWith("step 6/8  loss 3.2500"), lines.get(5));
    assertTrue(lines.get(5).endsWith(" left"), lines.get(5));
    assertEquals("step 6/8  validation loss 2.5000", lines.get(6));
  }

  @Test
  void anOutputThatIsHeldUpHoldsNobodyUpAndMissesNothing() throws Exception {
    CountDownLatch goOn = new CountDownLatch(1);
    Writer heldUp =
        new FilterWriter(text) {
          @Override
          public void write(String line, int offset, int length) throws IOException {
            try {
              goOn.await();
            } catch (InterruptedException interrupted) {
              throw new InterruptedIOException();
            }
            super.write(line, offset, length);
          }
        };
    List<String> said = IntStream.range(0, 10_000).mapToObj(i -> "line " + i).toList();
    TrainingProgress progress = new TrainingProgress(new PrintWriter(heldUp), false);
    assertTimeoutPreemptively(Duration.ofMinutes(1), () -> said.forEach(progress::onMessage));
    goOn.countDown();
    progress.close();
    assertEquals(said, text.toString().lines().toList());
  }

  @Test
  void saysTimesAsPeopleDo() {
    assertEquals("59 s", Durations.text(59.4));
    assertEquals("1 min 00 s", Durations.text(59.6));
    assertEquals("2 h 05 min", Durations.text(2 * 3600 + 5 * 60 + 12));
  }

  private static StepMetrics metrics(int step) {
    return new StepMetrics(
        step, 3.25, 1e-3, 1, 100, 12345, 10, 3, 6, 1, 0.5, 0.25, 0.1, List.of(9.5), 0);
  }
}
