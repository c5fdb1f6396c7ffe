package org.sparkformer.opencl;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Attention;
import org.sparkformer.tensor.ops.AttentionBackward;
import org.sparkformer.tensor.ops.AttentionForward;
import org.sparkformer.tensor.ops.Dropout;
import org.sparkformer.tensor.ops.Fill;
import org.sparkformer.tensor.ops.Projection;

/** Weights of all pairs of tokens are nowhere kept. */
class AttentionMemoryTest {
  private static final int HEADS = 4;
  private static final int WIDTH = 4 * 64;
  private static final int SHORT = 256;
  private static final int TIMES = 4;

  static Stream<Arguments> kernels() {
    OpenClDevice device = Devices.select(DeviceSelector.AUTO);
    return Stream.of(DType.FLOAT32, DType.BFLOAT16)
        .flatMap(
            operands ->
                Stream.of(
                        device,
                        DeviceGuise.gpu(device),
                        DeviceGuise.nvidia(device),
                        DeviceGuise.hopper(device))
                    .map(each -> Arguments.of(operands, each)));
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void growsWithTheLengthAndNotWithItsSquare(DType operands, OpenClDevice device) {
    long one = peakBytes(operands, device, SHORT);
    long longer = peakBytes(operands, device, TIMES * SHORT);
    assertTrue(longer <= 1.1 * TIMES * one, longer + " bytes, where a quarter takes " + one);
  }

  private static long peakBytes(DType operands, OpenClDevice device, int length) {
    try (OpenClBackend backend = OpenClBackend.open(device, OpenClOptions.defaults());
        Tensor qkv = backend.floats(length, 3 * WIDTH);
        Tensor y = backend.floats(length, WIDTH);
        Tensor logSumExp = backend.floats(1, HEADS, length);
        Tensor dy = backend.floats(length, WIDTH);
        Tensor dQkv = backend.floats(length, 3 * WIDTH);
        Tensor delta = backend.floats(1, HEADS, length)) {
      backend.run(new Fill(qkv, 0.5f));
      backend.run(new Fill(dy, 0.5f));
      Attention attention =
          new Attention(
              1, HEADS, WIDTH / HEADS, length, length, 0, true, null, Dropout.NONE, operands);
      AttentionForward forward =
          new AttentionForward(
              attention,
              new Projection(qkv, 0, length),
              new Projection(qkv, WIDTH, length),
              new Projection(qkv, 2 * WIDTH, length),
              y,
              logSumExp);
      backend.run(forward);
      backend.run(new AttentionBackward(forward, dy, dQkv, dQkv, dQkv, delta));
      backend.finish();
      return backend.memory().peakBytes();
    }
  }
}
