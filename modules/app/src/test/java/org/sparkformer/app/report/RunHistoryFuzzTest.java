package org.sparkformer.app.report;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.app.InputException;
import org.sparkformer.testkit.AllocationLimit;

/**
 * Any metrics, samples and summary of a run, of which the first byte says what they are, make a
 * report or an input error.
 */
class RunHistoryFuzzTest {
  private static final List<String> FILES = List.of("metrics.jsonl", "samples.jsonl", "run.json");

  @TempDir static Path folder;

  static Stream<byte[]> files() {
    return Stream.of(
            "\0{\"step\":1,\"loss\":2.5,\"tokens\":6,\"tokens_per_second\":9,\"rank_step_ms\":[1,2]}\n"
                + "{\"step\":1,\"val_loss\":2.5}\n{\"st",
            "\0{\"step\":[],\"loss\":\"NaN\",\"rank_step_ms\":{\"a\":null}}\n",
            "\0[1]\n\n7",
            "\1{\"step\":1,\"text\":\"</script>\"}\n",
            "\1null\n{",
            "\2{\"configuration\":{\"name\":\"x\",\"model\":{\"architecture\":7,\"layers\":[]}},"
                + "\"loss\":null,\"device\":\"{{script}}\"}",
            "\2{\"configuration\":{\"\":[[1e999999999]],\"x\":\"\\ud800\"}}",
            "\2null",
            "\2")
        .map(text -> text.getBytes(StandardCharsets.UTF_8));
  }

  @MethodSource("files")
  @FuzzTest
  void isAReportOrAnInputError(byte[] input) throws Exception {
    if (input.length == 0) {
      return;
    }
    byte[] content = Arrays.copyOfRange(input, 1, input.length);
    String fuzzed = FILES.get((input[0] & 0xff) % FILES.size());
    for (String file : FILES) {
      Files.write(folder.resolve(file), file.equals(fuzzed) ? content : sound(file));
    }
    AllocationLimit.within(
        content.length,
        () -> {
          try {
            return Report.render(RunHistory.read(folder));
          } catch (InputException declared) {
            return "";
          }
        });
  }

  private static byte[] sound(String file) {
    return (file.endsWith(".jsonl") ? "" : "{}").getBytes(StandardCharsets.UTF_8);
  }
}
