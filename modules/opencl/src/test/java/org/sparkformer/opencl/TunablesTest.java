package org.sparkformer.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TunablesTest {
  private static DeviceInfo device(DeviceInfo.Kind kind, int width) {
    return new DeviceInfo(
        0,
        kind,
        new DeviceInfo.Identity("name", "vendor", "platform", "driver", ""),
        2,
        width,
        new DeviceInfo.Memory(1L << 32, 1L << 30, 1L << 20),
        0);
  }

  private static int width(String file, DeviceInfo.Kind kind, int reported) {
    return Tunables.of(device(kind, reported)).of(file).get("WIDTH");
  }

  /** Kernels are written for 4, 8 and 16, of which compilers make whatever a device has. */
  @ParameterizedTest
  @CsvSource({"1, 4", "4, 4", "8, 8", "12, 8", "16, 16", "64, 16"})
  void aProcessorGetsTheVectorsThatItReports(int reported, int width) {
    for (String file : ROWS_AND_ELEMENTS) {
      assertEquals(width, width(file, DeviceInfo.Kind.CPU, reported), file);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 16})
  void otherDevicesGetThoseOfTheirKind(int reported) {
    for (String file : ROWS_AND_ELEMENTS) {
      assertEquals(4, width(file, DeviceInfo.Kind.GPU, reported), file);
    }
  }

  private static final String[] ROWS_AND_ELEMENTS = {
    "adamw.cl",
    "elementwise.cl",
    "embedding.cl",
    "layernorm.cl",
    "reduce.cl",
    "softmax_cross_entropy.cl"
  };
}
