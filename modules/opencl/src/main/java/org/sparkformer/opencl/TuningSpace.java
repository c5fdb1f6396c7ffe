package org.sparkformer.opencl;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The values that a tuner may try for the kernels' macros on one kind of device.
 *
 * @param files kernel file to its tunables, in the order in which they are worth trying
 */
public record TuningSpace(Map<String, List<Tunable>> files) {
  private static final String RESOURCE = "/org/sparkformer/opencl/kernels/tuning.json";
  private static final String OTHERS = "default";

  public TuningSpace {
    Map<String, List<Tunable>> copy = new LinkedHashMap<>();
    files.forEach((file, tunables) -> copy.put(file, List.copyOf(tunables)));
    files = copy;
  }

  /**
   * A macro.
   *
   * @param sameBits whether no value changes a bit of any result; a file's header says why
   */
  public record Tunable(String macro, List<Integer> values, boolean sameBits) {
    public Tunable {
      values = List.copyOf(values);
    }
  }

  private record Macros(
      @JsonProperty("same_bits") Map<String, List<Integer>> sameBits,
      @JsonProperty("other_bits") Map<String, List<Integer>> otherBits) {

    List<Tunable> tunables() {
      List<Tunable> all = new ArrayList<>();
      add(all, sameBits, true);
      add(all, otherBits, false);
      return all;
    }

    private static void add(List<Tunable> all, Map<String, List<Integer>> macros, boolean same) {
      if (macros != null) {
        macros.forEach((macro, values) -> all.add(new Tunable(macro, values, same)));
      }
    }
  }

  /**
   * The space in {@code kernels/tuning.json} of the files that the device has kernels from: the
   * section of its kind, else the rest's.
   */
  public static TuningSpace of(DeviceInfo device) {
    Set<String> used = Kernels.files(device);
    Map<String, List<Tunable>> files = new LinkedHashMap<>();
    read()
        .forEach(
            (file, byKind) -> {
              Macros macros = byKind.getOrDefault(device.kind().name(), byKind.get(OTHERS));
              if (macros != null && used.contains(file)) {
                files.put(file, macros.tunables());
              }
            });
    return new TuningSpace(files);
  }

  private static Map<String, Map<String, Macros>> read() {
    try (InputStream stream = TuningSpace.class.getResourceAsStream(RESOURCE)) {
      return new ObjectMapper().readValue(stream, new TypeReference<>() {});
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + RESOURCE, e);
    }
  }

  /** A file's tunables; none where it has none. */
  public List<Tunable> of(String file) {
    return files.getOrDefault(file, List.of());
  }

  Optional<Tunable> find(String file, String macro) {
    return of(file).stream().filter(tunable -> tunable.macro().equals(macro)).findFirst();
  }
}
