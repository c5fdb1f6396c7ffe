package org.sparkformer.opencl;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.sparkformer.opencl.kernels.Vectors;

/**
 * Values of the kernels' tunable macros on one device, from {@code kernels/tunables.json}.
 *
 * <p>A file's values are looked up under {@code default}, the device's kind, its vendor and its
 * name, the later over the earlier; vendor and name match where they contain the key, in any case.
 * WIDTH of a processor is what it reports, where none of these but {@code default} has one. What a
 * tuner found lies over all of them.
 */
final class Tunables {
  private static final String RESOURCE = "/org/sparkformer/opencl/kernels/tunables.json";

  private final Map<String, Map<String, Integer>> byFile;

  private Tunables(Map<String, Map<String, Integer>> byFile) {
    this.byFile = byFile;
  }

  static Tunables of(DeviceInfo device) {
    Map<String, Map<String, Integer>> byFile = new HashMap<>();
    read().forEach((file, byDevice) -> byFile.put(file, Map.copyOf(macros(byDevice, device))));
    return new Tunables(byFile);
  }

  private static Map<String, Integer> macros(
      Map<String, Map<String, Integer>> byDevice, DeviceInfo device) {
    Map<String, Integer> macros = new HashMap<>(byDevice.get("default"));
    if (device.kind() == DeviceInfo.Kind.CPU) {
      macros.replace("WIDTH", Vectors.width(device));
    }
    List.of(device.kind().name(), device.vendor(), device.name())
        .forEach(name -> byDevice.forEach((key, values) -> merge(macros, name, key, values)));
    return macros;
  }

  private static void merge(
      Map<String, Integer> macros, String name, String key, Map<String, Integer> values) {
    if (name.toLowerCase(Locale.ROOT).contains(key.toLowerCase(Locale.ROOT))) {
      macros.putAll(values);
    }
  }

  private static Map<String, Map<String, Map<String, Integer>>> read() {
    try (InputStream stream = Tunables.class.getResourceAsStream(RESOURCE)) {
      return new ObjectMapper().readValue(stream, new TypeReference<>() {});
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + RESOURCE, e);
    }
  }

  /** These values with others, by file, laid over them. */
  Tunables with(Map<String, Map<String, Integer>> over) {
    Map<String, Map<String, Integer>> merged = new HashMap<>(byFile);
    over.forEach(
        (file, values) -> {
          Map<String, Integer> macros = new HashMap<>(of(file));
          macros.putAll(values);
          merged.put(file, Map.copyOf(macros));
        });
    return new Tunables(merged);
  }

  /** Macro names and values; none for a file without tunables. */
  Map<String, Integer> of(String file) {
    return byFile.getOrDefault(file, Map.of());
  }
}
