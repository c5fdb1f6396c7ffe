package org.sparkformer.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.sparkformer.opencl.kernels.HostArithmetic;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;

/** A rate is as true as the operations that are counted for it. */
class CeilingsTest {
  private static final int GROUPS = 3;
  private static final int ROUNDS = 5;

  private OpenClBackend backend;

  @BeforeEach
  void open() {
    backend = OpenClBackend.open(DeviceSelector.AUTO);
  }

  @AfterEach
  void close() {
    backend.close();
  }

  @Test
  void multiplyAddsOfFp32AreCounted() {
    OpenClDevice device = Devices.select(DeviceSelector.AUTO);
    countsWhatItDoes(Rate.fma(DeviceGuise.gpu(device).info()));
    for (int width : new int[] {1, 4, 8, 16}) {
      countsWhatItDoes(Rate.fma(DeviceGuise.processor(device, 2, width, 1 << 20).info()));
    }
  }

  @Test
  void productsOfPairsAreCounted() {
    countsWhatItDoes(Rate.pairs(has(HostArithmetic.PAIRS)));
  }

  @Test
  void productsOfTilesAreCounted() {
    countsWhatItDoes(Rate.tiles(has(HostArithmetic.TILES)));
  }

  /** Whether the device is this machine's processor and has the instructions. */
  private boolean has(HostArithmetic arithmetic) {
    return backend.device().kind() == DeviceInfo.Kind.CPU && arithmetic.isAvailable();
  }

  /** Each multiply-add adds 1 to a sum. */
  private void countsWhatItDoes(Rate rate) {
    double added = sum(rate, ROUNDS) - sum(rate, 0);
    assertEquals(rate.operations() * GROUPS * ROUNDS, 2 * added, rate::toString);
  }

  private double sum(Rate rate, int rounds) {
    try (Tensor y = backend.floats((long) GROUPS * rate.elements())) {
      new Ceilings(backend).run(rate, y, GROUPS, rounds);
      float[] values = backend.readFloats(y);
      return IntStream.range(0, values.length).mapToDouble(i -> values[i]).sum();
    }
  }

  @Test
  void thereIsNoneForTensorCoresAndThatOfFp32ForOtherGpus() {
    OpenClDevice device = Devices.select(DeviceSelector.AUTO);
    DeviceInfo nvidia = DeviceGuise.nvidia(device).info();
    DeviceInfo gpu = DeviceGuise.gpu(device).info();
    assertEquals(Optional.empty(), Rate.of(DType.BFLOAT16, nvidia));
    assertEquals(Rate.of(DType.FLOAT32, gpu), Rate.of(DType.BFLOAT16, gpu));
    assertTrue(Rate.of(DType.FLOAT32, nvidia).isPresent());
  }
}
