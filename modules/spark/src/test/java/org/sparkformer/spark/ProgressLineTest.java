package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.testkit.AllocationLimit;
import org.sparkformer.training.EvaluationMetrics;
import org.sparkformer.training.StepMetrics;
import org.sparkformer.training.TrainingListener;
import org.sparkformer.training.TrainingStart;

/** What a rank says is a line as it was written, or one that the driver cannot read. */
class ProgressLineTest {
  private static final int DAMAGED_LINES = 5_000;
  private static final int DEEP = 200_000;

  /** What a number, a text or a part of it is replaced by. */
  private static final String[] SPLINTERS = {
    "null", "-1", "2147483648", "1e999", "NaN", "\"\"", "{}", "[]", "[[[", "}", ",", ":", "\\u0000"
  };

  static List<ProgressLine> lines() {
    StepMetrics step =
        new StepMetrics(7, 2.5, 1e-3, 0.5, 64, 1e4, 9, 3, 4, 1, 0.5, 0.2, 0, List.of(8.0, 9.0), 0);
    return List.of(
        new ProgressLine(new TrainingStart(0, 9, 2, 1000, "java"), null, null, null, null, null),
        new ProgressLine(null, step, null, null, null, null),
        new ProgressLine(null, null, new EvaluationMetrics(8, 2.25), null, null, null),
        new ProgressLine(null, null, null, new ProgressLine.Checkpoint(8, "file:/run"), null, null),
        new ProgressLine(null, null, null, null, "rank 1: nothing since é", null),
        new ProgressLine(null, null, null, null, null, "a \"word\"\nand another"));
  }

  @ParameterizedTest
  @MethodSource("lines")
  void readsAsItWasWritten(ProgressLine line) throws IOException {
    assertEquals(line, ProgressLine.parse(line.text()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "{}",
        "[]",
        "{\"message\":null}",
        "{\"message\":\"a\",\"stuck\":\"b\"}",
        "{\"checkpoint\":{\"step\":1,\"path\":null}}",
        "{\"checkpoint\":{\"path\":\"a\"}}",
        "{\"evaluation\":{\"step\":2147483648,\"val_loss\":1}}",
        "{\"word\":\"a\"}"
      })
  void isRefused(String line) {
    assertThrows(IOException.class, () -> ProgressLine.parse(line));
  }

  @ParameterizedTest
  @ValueSource(strings = {"[", "{\"step\":", "{\"message\":["})
  void isRefusedHoweverDeep(String opening) {
    String line = opening.repeat(DEEP);
    assertThrows(IOException.class, () -> read(line));
  }

  @Test
  void whateverIsDamagedIsALineOrRefused() throws Exception {
    Random random = new Random(5);
    List<String> whole = lines().stream().map(ProgressLine::text).toList();
    int refused = 0;
    for (int i = 0; i < DAMAGED_LINES; i++) {
      String line = damaged(whole.get(random.nextInt(whole.size())), random);
      try {
        read(line);
      } catch (IOException declared) {
        refused++;
      }
    }
    assertTrue(refused > DAMAGED_LINES / 2 && refused < DAMAGED_LINES, refused + " refused");
  }

  private static void read(String line) throws Exception {
    ProgressLine progress = AllocationLimit.within(line.length(), () -> ProgressLine.parse(line));
    progress.tell(TrainingListener.NONE);
    assertEquals(progress, ProgressLine.parse(progress.text()));
  }

  /** Cut, with another character in it, or with a stretch of it replaced. */
  private static String damaged(String line, Random random) {
    int at = random.nextInt(line.length());
    int end = Math.min(line.length(), at + random.nextInt(12));
    String splinter =
        switch (random.nextInt(3)) {
          case 0 -> "";
          case 1 -> Character.toString(random.nextInt(0x500));
          default -> SPLINTERS[random.nextInt(SPLINTERS.length)];
        };
    boolean cut = random.nextInt(4) == 0;
    return Stream.of(line.substring(0, at), splinter, cut ? "" : line.substring(end))
        .reduce("", String::concat);
  }
}
