package org.sparkformer.opencl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.MatMul;

/**
 * Kernels for GPUs on the device at hand: which are chosen, and what their tiles must not change.
 */
class GpuKernelsTest {
  private static final int M = 131;
  private static final int N = 140;
  private static final int K = 277;

  private final OpenClDevice device = Devices.select(DeviceSelector.AUTO);

  private static OpenClBackend open(OpenClDevice device) {
    return OpenClBackend.open(device, OpenClOptions.defaults());
  }

  /** C += A B, with other macros for a kernel file. */
  private static float[] product(
      OpenClBackend backend, DType operands, String file, Map<String, Integer> macros) {
    try (Tensor a = filled(backend, 1, M, K);
        Tensor b = filled(backend, 2, K, N);
        Tensor c = filled(backend, 3, M, N)) {
      backend
          .withTunables(Map.of(file, macros))
          .accept(MatMul.adding(a, b, c, false, false).with(operands));
      return backend.readFloats(c);
    }
  }

  private static Tensor filled(OpenClBackend backend, long seed, long rows, long columns) {
    Random random = new Random(seed);
    float[] values = new float[(int) (rows * columns)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    Tensor tensor = backend.floats(rows, columns);
    backend.write(tensor, values);
    return tensor;
  }

  /** On processors by vectors: AMX adds up other products. */
  @Test
  void fp32ProductsHaveTheSameBitsInTilesOfAnySizeAndOnProcessors() {
    float[] expected;
    OpenClOptions vectors = OpenClOptions.defaults().without(Set.of("matmul_split"));
    try (OpenClBackend processor = OpenClBackend.open(device, vectors)) {
      expected = product(processor, DType.FLOAT32, "matmul.cl", Map.of());
    }
    try (OpenClBackend gpu = open(DeviceGuise.gpu(device))) {
      for (Map<String, Integer> macros :
          List.of(
              Map.of("WORK", 4, "STEPS", 8),
              Map.of("WORK", 4, "STEPS", 32),
              Map.of("WORK", 8, "STEPS", 8),
              Map.of("WORK", 8, "STEPS", 16))) {
        float[] actual = product(gpu, DType.FLOAT32, "matmul_gpu.cl", macros);
        assertArrayEquals(expected, actual, macros::toString);
      }
    }
  }

  @Test
  void productsOfTensorCoresHaveTheSameBitsInTilesOfAnySize() {
    try (OpenClBackend gpu = open(DeviceGuise.nvidia(device))) {
      float[] expected = product(gpu, DType.BFLOAT16, "matmul_tensor.cl", Map.of());
      for (Map<String, Integer> macros :
          List.of(
              Map.of("STAGES", 2, "STEP", 64, "BAND", 1),
              Map.of("WARP_COLUMNS", 32, "STAGES", 4, "EAGER", 1),
              Map.of("ROWS", 64, "COLUMNS", 256, "BAND", 2))) {
        float[] actual = product(gpu, DType.BFLOAT16, "matmul_tensor.cl", macros);
        assertArrayEquals(expected, actual, macros::toString);
      }
    }
  }

  /** Also where products are still made while a stage is filled, at once or as late as may be. */
  @Test
  void productsOfWarpGroupsHaveTheSameBitsInTilesOfAnySize() {
    try (OpenClBackend gpu = open(DeviceGuise.hopper(device))) {
      float[] expected = product(gpu, DType.BFLOAT16, "matmul_wgmma.cl", Map.of("STEP", 32));
      for (Map<String, Integer> macros :
          List.of(
              Map.of("STAGES", 4, "OPEN", 1, "BAND", 1, "STEP", 32),
              Map.of("STAGES", 4, "OPEN", 1, "STEP", 32, "EAGER", 1),
              Map.of("ROWS", 64, "COLUMNS", 64, "STAGES", 2, "EAGER", 1),
              Map.of("ROWS", 192, "COLUMNS", 256, "STAGES", 6, "OPEN", 1, "STEP", 32),
              Map.of("COLUMNS", 256, "OPEN", 1))) {
        float[] actual = product(gpu, DType.BFLOAT16, "matmul_wgmma.cl", macros);
        assertArrayEquals(expected, actual, macros::toString);
      }
    }
  }

  @Test
  void kernelsAreChosenByWhatTheDeviceIs() {
    try (OpenClBackend gpu = open(DeviceGuise.gpu(device));
        OpenClBackend nvidia = open(DeviceGuise.nvidia(device));
        OpenClBackend hopper = open(DeviceGuise.hopper(device))) {
      assertEquals(
          "matmul_wgmma.cl matmul_wgmma (bf16 by wgmma), else " + kernel(nvidia, "MatMul"),
          kernel(hopper, "MatMul"));
      assertEquals("matmul_gpu.cl matmul_gpu", kernel(gpu, "MatMul"));
      assertEquals(
          "matmul_tensor.cl matmul_tensor (bf16 by mma.sync), else matmul_gpu.cl matmul_gpu",
          kernel(nvidia, "MatMul"));
      assertEquals("attention_gpu.cl attention_forward", kernel(gpu, "AttentionForward"));
      assertEquals(
          "attention_tensor.cl attention_forward (bf16 by mma.sync), else attention_gpu.cl"
              + " attention_forward",
          kernel(nvidia, "AttentionForward"));
      assertEquals(
          "attention_wgmma.cl attention_forward (bf16 by wgmma), else "
              + kernel(nvidia, "AttentionForward"),
          kernel(hopper, "AttentionForward"));
      assertEquals(4, gpu.builtInTunables("elementwise.cl").get("WIDTH"));
      assertEquals(1, nvidia.builtInTunables("elementwise.cl").get("WIDTH"));
    }
  }

  @Test
  void aKernelFileCanBeLeftOut() {
    OpenClOptions options = OpenClOptions.defaults();
    try (OpenClBackend all = OpenClBackend.open(DeviceGuise.hopper(device), options);
        OpenClBackend without =
            OpenClBackend.open(
                DeviceGuise.hopper(device), options.without(Set.of("matmul_wgmma")))) {
      assertEquals(
          kernel(all, "MatMul"),
          "matmul_wgmma.cl matmul_wgmma (bf16 by wgmma), else " + kernel(without, "MatMul"));
      assertEquals(all.rounding() + " without matmul_wgmma", without.rounding());
    }
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> OpenClBackend.open(device, options.without(Set.of("matmul_wgma"))))
            .getMessage();
    assertTrue(message.contains("matmul_wgma") && message.contains("matmul_wgmma"), message);
  }

  private static String kernel(OpenClBackend backend, String operation) {
    String start = operation + " -> ";
    return backend.kernels().stream()
        .filter(line -> line.startsWith(start))
        .map(line -> line.substring(start.length()))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void aDeviceSaysItsComputeCapability() {
    assertTrue(
        DeviceGuise.hopper(device).info().toString().contains(", compute capability 9.0"),
        () -> DeviceGuise.hopper(device).info().toString());
    assertEquals(0, DeviceGuise.gpu(device).info().computeCapability());
  }
}
