package org.sparkformer.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeviceSelectorTest {
  private static final List<OpenClDevice> DEVICES =
      List.of(
          device(0, DeviceInfo.Kind.CPU, "pthread-cpu", "GenuineIntel", ""),
          device(1, DeviceInfo.Kind.GPU, "H100 PCIe", "NVIDIA Corporation", "0000:3b:00.0"),
          device(2, DeviceInfo.Kind.GPU, "H100 PCIe", "NVIDIA Corporation", "0000:af:00.0"));

  private static OpenClDevice device(
      int index, DeviceInfo.Kind kind, String name, String vendor, String bus) {
    var identity = new DeviceInfo.Identity(name, vendor, "A platform", "1.0", bus);
    var memory = new DeviceInfo.Memory(1L << 33, 1L << 32, 1 << 15);
    return new OpenClDevice(1, index, new DeviceInfo(index, kind, identity, 4, 4, memory, 0));
  }

  @ParameterizedTest
  @CsvSource({
    "auto, 1",
    "gpu, 1",
    "CPU, 0",
    "2, 2",
    "pci:0000:AF:00.0, 2",
    "h100, 1",
    "intel, 0",
    "a platform, 0"
  })
  void aDeviceIsChosenByKindIndexBusOrName(String text, int index) {
    Optional<OpenClDevice> chosen = new DeviceSelector(text).choose(DEVICES);
    assertEquals(index, chosen.orElseThrow().info().index());
  }

  @Test
  void autoTakesACpuWhereThereIsNoGpu() {
    assertEquals(0, DeviceSelector.AUTO.choose(DEVICES.subList(0, 1)).orElseThrow().info().index());
  }

  @Test
  void nothingIsChosenInPlaceOfWhatWasAskedFor() {
    for (String text : List.of("7", "radeon", "pci:0000:00:00.0")) {
      assertEquals(Optional.empty(), new DeviceSelector(text).choose(DEVICES));
    }
    assertEquals(Optional.empty(), new DeviceSelector("gpu").choose(DEVICES.subList(0, 1)));
  }

  @Test
  void anErrorListsTheDevicesThatThereAre() {
    String found = Devices.list().get(0).info().name();
    String message =
        assertThrows(
                OpenClException.class,
                () -> Devices.select(new DeviceSelector("no such device anywhere")))
            .getMessage();
    assertTrue(message.contains("no such device anywhere") && message.contains(found), message);
  }
}
