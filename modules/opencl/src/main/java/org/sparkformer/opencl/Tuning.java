package org.sparkformer.opencl;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The tuned values that are used on one device.
 *
 * @param file where they come from
 * @param kernels by kernel file
 */
record Tuning(Path file, Map<String, TunedValues.Kernel> kernels) {
  private static final System.Logger LOG = System.getLogger(Tuning.class.getName());

  /**
   * The values in a file for a device. What was found with another driver or another state of a
   * kernel file is left aside, with a warning.
   *
   * @throws OpenClException if the file is damaged or names a macro that there is not
   */
  static Tuning read(Path file, DeviceInfo device) {
    TunedValues all = TunedValues.read(file);
    List<String> otherDrivers = all.otherDrivers(device);
    if (!otherDrivers.isEmpty()) {
      warn(
          "%s has kernel values for %s with the driver %s; they are not used with %s"
              .formatted(
                  file,
                  device.name(),
                  String.join(", ", otherDrivers),
                  device.identity().driver()));
    }
    TuningSpace space = TuningSpace.of(device);
    Map<String, TunedValues.Kernel> kernels = new TreeMap<>();
    all.of(device)
        .forEach(
            (name, kernel) -> {
              if (isStale(name, kernel, space)) {
                warn(
                    "%s has values for another state of %s; they are not used"
                        .formatted(file, name));
              } else {
                check(file, name, kernel, space);
                kernels.put(name, kernel);
              }
            });
    return new Tuning(file, kernels);
  }

  private static void warn(String what) {
    LOG.log(System.Logger.Level.WARNING, what + ": run sparkformer tune again");
  }

  private static boolean isStale(String name, TunedValues.Kernel kernel, TuningSpace space) {
    return space.of(name).isEmpty() || !TunedValues.digest(name).equals(kernel.source());
  }

  private static void check(Path file, String name, TunedValues.Kernel kernel, TuningSpace space) {
    kernel.macros().forEach((macro, value) -> check(file, name, macro, value, space));
  }

  private static void check(Path file, String name, String macro, int value, TuningSpace space) {
    Optional<TuningSpace.Tunable> tunable = space.find(name, macro);
    if (tunable.isPresent() && !tunable.get().values().contains(value)) {
      throw new OpenClException(
          "%s: %s of %s is %d, which is none of %s"
              .formatted(file, macro, name, value, tunable.get().values()));
    }
    if (tunable.isEmpty()) {
      throw new OpenClException(
          "%s: %s has no tunable %s on this device; it has %s"
              .formatted(
                  file,
                  name,
                  macro,
                  space.of(name).stream()
                      .map(TuningSpace.Tunable::macro)
                      .collect(Collectors.joining(", "))));
    }
  }

  Map<String, Map<String, Integer>> macros() {
    Map<String, Map<String, Integer>> macros = new TreeMap<>();
    kernels.forEach((name, kernel) -> macros.put(name, kernel.macros()));
    return macros;
  }

  /** For people; empty where nothing is tuned. */
  String description() {
    return kernels.isEmpty()
        ? ""
        : "; tuned by %s: %s".formatted(file, String.join(", ", kernels.keySet()));
  }

  /** Different where results may differ in their last bits; empty where they do not. */
  String rounding() {
    String macros =
        kernels.entrySet().stream()
            .filter(kernel -> !kernel.getValue().sameBits())
            .map(kernel -> kernel.getKey() + " " + kernel.getValue().macros())
            .collect(Collectors.joining(", "));
    return macros.isEmpty() ? "" : ", tuned to round otherwise: " + macros;
  }
}
