package org.sparkformer.opencl;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Which device to use.
 *
 * @param text {@code auto}: a GPU before any other, else a CPU; {@code gpu} or {@code cpu}: the
 *     first of that kind; a number: that index; {@code pci:0000:3b:00.0}: the device at that bus
 *     address; anything else: the first whose name, vendor or platform contains it, in any case
 */
public record DeviceSelector(String text) {
  private static final String PCI = "pci:";

  /** A GPU before a CPU. */
  public static final DeviceSelector AUTO = new DeviceSelector("auto");

  public DeviceSelector {
    if (text.isBlank()) {
      throw new IllegalArgumentException(
          "device selector is empty: give auto, gpu, cpu, an index, pci:ADDRESS or part of a name");
    }
  }

  Optional<OpenClDevice> choose(List<OpenClDevice> devices) {
    String wanted = text.toLowerCase(Locale.ROOT);
    if (wanted.equals("auto")) {
      return first(devices, DeviceInfo.Kind.GPU)
          .or(() -> first(devices, DeviceInfo.Kind.CPU))
          .or(() -> devices.stream().findFirst());
    }
    if (wanted.equals("gpu") || wanted.equals("cpu")) {
      return first(devices, DeviceInfo.Kind.valueOf(wanted.toUpperCase(Locale.ROOT)));
    }
    return devices.stream().filter(device -> matches(device.info(), wanted)).findFirst();
  }

  private static boolean matches(DeviceInfo device, String wanted) {
    if (wanted.matches("\\d+")) {
      return device.index() == Integer.parseInt(wanted);
    }
    if (wanted.startsWith(PCI)) {
      return device.identity().pciBusId().equalsIgnoreCase(wanted.substring(PCI.length()));
    }
    String names = device.name() + " " + device.vendor() + " " + device.identity().platform();
    return names.toLowerCase(Locale.ROOT).contains(wanted);
  }

  private static Optional<OpenClDevice> first(List<OpenClDevice> devices, DeviceInfo.Kind kind) {
    return devices.stream().filter(device -> device.info().kind() == kind).findFirst();
  }
}
