package org.sparkformer.opencl;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.testkit.AllocationLimit;

/** Any file is one of tuned values, and reads as it is written, or is refused by its name. */
class TunedValuesFuzzTest {
  @TempDir static Path folder;

  static Stream<byte[]> files() {
    String device = "{\"devices\":[{\"name\":\"d\",\"platform\":\"p\",\"driver\":\"1\",%s}]}";
    String kernel = "{\"source\":\"0f\",\"macros\":%s,\"same_bits\":true,\"speedup\":1.5}";
    return Stream.of(
            device
                .formatted("\"kernels\":{\"gemm.cl\":%s}".formatted(kernel))
                .formatted("{\"TILE\":8}"),
            device
                .formatted("\"kernels\":{\"gemm.cl\":%s}".formatted(kernel))
                .formatted("{\"TILE\":null}"),
            device.formatted("\"kernels\":{\"gemm.cl\":null}"),
            device.formatted("\"kernels\":null"),
            "{\"devices\":[null]}",
            "{}",
            "null",
            "")
        .map(json -> json.getBytes(StandardCharsets.UTF_8));
  }

  @MethodSource("files")
  @FuzzTest
  void isReadOrRefused(byte[] json) throws Exception {
    Path file = Files.write(folder.resolve("tuned.json"), json);
    TunedValues values;
    try {
      values = AllocationLimit.within(json.length, () -> TunedValues.read(file));
    } catch (OpenClException declared) {
      return;
    }
    requireUsable(values);
    Path again = folder.resolve("again.json");
    values.write(again);
    if (!TunedValues.read(again).equals(values)) {
      throw new AssertionError("does not read as it was written: " + values);
    }
  }

  private static void requireUsable(TunedValues values) {
    for (TunedValues.Device device : values.devices()) {
      for (TunedValues.Kernel kernel : device.kernels().values()) {
        for (int value : kernel.macros().values()) {
          String.valueOf(value);
        }
      }
    }
  }
}
