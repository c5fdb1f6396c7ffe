package org.sparkformer.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Fill;
import org.sparkformer.tensor.reference.JavaBackend;

class RegistryTest {
  private static final DeviceInfo DEVICE = Devices.select(DeviceSelector.AUTO).info();

  /** Takes fills of fewer than {@code limit} elements, on devices of one kind. */
  private static class SmallFill implements Specialisation<Fill> {
    private final long limit;
    private final DeviceInfo.Kind kind;

    SmallFill(long limit, DeviceInfo.Kind kind) {
      this.limit = limit;
      this.kind = kind;
    }

    @Override
    public Class<Fill> operation() {
      return Fill.class;
    }

    @Override
    public String description() {
      return "fill below " + limit;
    }

    @Override
    public boolean runsOn(DeviceInfo device) {
      return device.kind() == kind;
    }

    @Override
    public boolean supports(Fill fill, DeviceInfo device) {
      return fill.x().size() < limit;
    }

    @Override
    public void enqueue(Fill fill, LaunchContext context) {
      throw new UnsupportedOperationException("this test launches nothing");
    }
  }

  @Test
  void theFirstThatTakesAnOperationIsChosenAndElseNone() {
    Registry registry =
        new Registry(
            List.of(new SmallFill(5, DEVICE.kind()), new SmallFill(50, DEVICE.kind())), DEVICE);
    assertEquals(List.of("Fill -> fill below 5, else fill below 50"), registry.describe());
    assertEquals("fill below 5", chosen(registry, 4));
    assertEquals("fill below 50", chosen(registry, 5));
    assertEquals("definition", chosen(registry, 50));
  }

  @Test
  void whatIsNotProvenOnTheDeviceIsLeftAsideAndTheNextTakesItsPlace() {
    SmallFill wrong =
        new SmallFill(5, DEVICE.kind()) {
          @Override
          public void prove(Backend backend, LaunchContext context) {
            throw new OpenClException("the driver's log");
          }
        };
    Registry registry = new Registry(List.of(wrong, new SmallFill(50, DEVICE.kind())), DEVICE);
    registry.prove(null, null);
    assertEquals(List.of("Fill -> fill below 50"), registry.describe());
    assertEquals("fill below 50", chosen(registry, 4));
    assertEquals(List.of("fill below 5"), registry.leftAside());
  }

  @Test
  void kernelsForOtherKindsOfDeviceAreNotListed() {
    Registry registry =
        new Registry(List.of(new SmallFill(5, DeviceInfo.Kind.ACCELERATOR)), DEVICE);
    assertTrue(registry.describe().isEmpty());
    assertEquals("definition", chosen(registry, 1));
  }

  private static String chosen(Registry registry, long size) {
    try (JavaBackend java = new JavaBackend();
        Tensor x = java.floats(size)) {
      return registry.find(new Fill(x, 1)).map(Specialisation::description).orElse("definition");
    }
  }
}
