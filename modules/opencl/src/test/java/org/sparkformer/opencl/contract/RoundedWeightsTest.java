package org.sparkformer.opencl.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.opencl.DeviceGuise;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.Devices;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.OpenClDevice;
import org.sparkformer.opencl.OpenClOptions;
import org.sparkformer.tensor.BFloat16;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.ops.AdamW;
import org.sparkformer.tensor.reference.JavaBackend;

/**
 * What AdamW leaves for products in bf16 is the nearest to each weight, to the bit: the contract
 * suite's tolerance would let a truncation pass.
 */
class RoundedWeightsTest {
  /** Whole vectors of any width, and a rest. */
  private static final int SIZE = 5000 + 13;

  /**
   * Below, at and above the middle between two neighbours in bf16, of which ties go to the even.
   */
  private static final int[] LOW_HALVES = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};

  static Stream<Arguments> backends() {
    OpenClDevice device = Devices.select(DeviceSelector.AUTO);
    OpenClOptions options = OpenClOptions.defaults();
    return Stream.of(
        backend("Java", JavaBackend::new),
        backend("definition", () -> OpenClBackend.open(device, options.withSpecialised(false))),
        backend("kernel", () -> OpenClBackend.open(device, options)),
        backend("vectors of 4", () -> open(DeviceGuise.processor(device, 8, 4, 1 << 20))),
        backend("GPU", () -> open(DeviceGuise.gpu(device))),
        backend("NVIDIA", () -> open(DeviceGuise.nvidia(device))));
  }

  private static Backend open(OpenClDevice device) {
    return OpenClBackend.open(device, OpenClOptions.defaults());
  }

  private static Arguments backend(String name, Supplier<Backend> opening) {
    return arguments(name, opening);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("backends")
  void weightsAreRoundedToTheNearest(String name, Supplier<Backend> opening) {
    AdamW.Settings settings = new AdamW.Settings(1e-2f, 0.9f, 0.95f, 1e-8f, 0.1f, 77, 1f, 3);
    check(opening, AdamWCases.rounded("clipped", SIZE, SIZE * 4f, settings), Map.of());
  }

  /** With neither gradient nor decay the weights stay what they are. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("backends")
  void tiesGoToTheEven(String name, Supplier<Backend> opening) {
    AdamW.Settings settings = new AdamW.Settings(1e-2f, 0.9f, 0.95f, 1e-8f, 0f, 0, 1f, 3);
    float[] zeros = new float[SIZE];
    check(
        opening,
        AdamWCases.rounded("still", SIZE, 1f, settings),
        Map.of(
            AdamWCases.PARAMETERS, nearTies(), "gradients", zeros, "firstMoment", zeros.clone()));
  }

  private static float[] nearTies() {
    float[] values = new float[SIZE];
    for (int i = 0; i < SIZE; i++) {
      int sign = i % 2 << 31;
      int high = 0x3f00 + i % 257 << 16;
      values[i] = Float.intBitsToFloat(sign | high | LOW_HALVES[i % LOW_HALVES.length]);
    }
    return values;
  }

  private static void check(
      Supplier<Backend> opening, OperationCase test, Map<String, float[]> given) {
    try (Backend backend = opening.get();
        Workspace workspace = new Workspace(backend, given)) {
      backend.run(test.factory().apply(workspace));
      Map<String, float[]> values = workspace.read();
      float[] weights = values.get(AdamWCases.PARAMETERS);
      float[] rounded = values.get(AdamWCases.ROUNDED);
      for (int i = 0; i < SIZE; i++) {
        assertEquals(BFloat16.widen(BFloat16.round(weights[i])), rounded[i], "element " + i);
      }
    }
  }
}
