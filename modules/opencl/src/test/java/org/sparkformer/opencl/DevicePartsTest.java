package org.sparkformer.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Add;
import org.sparkformer.tensor.ops.BlockSum;
import org.sparkformer.tensor.ops.Fill;

class DevicePartsTest {
  private static final int ROUNDS = 300;

  private final OpenClDevice device = Devices.select(new DeviceSelector("cpu"));

  @Test
  void twoPartsInOneProcessDoNotBlockOneAnother() {
    assertTimeoutPreemptively(
        Duration.ofMinutes(2),
        () -> {
          var first = CompletableFuture.supplyAsync(() -> countOn(0));
          var second = CompletableFuture.supplyAsync(() -> countOn(1));
          assertEquals(ROUNDS * 1024f, first.get());
          assertEquals(ROUNDS * 1024f, second.get());
        });
  }

  private float countOn(int part) {
    try (OpenClBackend backend =
            OpenClBackend.open(device, OpenClOptions.defaults().withPart(part, 2));
        Tensor x = backend.floats(1 << 16);
        Tensor one = backend.floats(1 << 16);
        Tensor sums = backend.floats(64)) {
      backend.run(new Fill(x, 0));
      backend.run(new Fill(one, 1));
      for (int i = 0; i < ROUNDS; i++) {
        backend.run(new Add(x, one, x));
        if (i % 50 == 0) {
          backend.finish();
        }
      }
      backend.run(new BlockSum(x, sums, false));
      return backend.readFloats(sums)[part];
    }
  }

  @Test
  void morePartsThanComputeUnitsShareTheWholeDeviceAndSayIt() {
    int parts = device.info().computeUnits() + 1;
    try (OpenClBackend backend =
        OpenClBackend.open(device, OpenClOptions.defaults().withPart(parts - 1, parts))) {
      assertTrue(
          backend.description().contains("shared by " + parts + " ranks"), backend.description());
    }
  }

  @Test
  void partsDivideTheDevicesMemory() {
    try (OpenClBackend backend =
        OpenClBackend.open(device, OpenClOptions.defaults().withPart(0, 4))) {
      assertEquals(device.info().memory().global() / 4, backend.capacityBytes());
    }
  }

  @Test
  void aPartSaysItIsOne() {
    int units = device.info().computeUnits();
    try (OpenClBackend backend =
        OpenClBackend.open(device, OpenClOptions.defaults().withPart(0, units))) {
      assertTrue(
          units == 1 || backend.description().contains("part 1 of " + units + ", 1 compute units"),
          backend.description());
    }
  }
}
