package org.sparkformer.opencl;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * What a tuner found, as JSON: for each device and driver the values of kernels' macros that run
 * there faster than the built-in ones.
 */
public record TunedValues(List<Device> devices) {

  public TunedValues {
    devices = devices == null ? List.of() : List.copyOf(devices);
  }

  private static <V> Map<String, V> whole(Map<String, V> values) {
    if (values != null && values.values().stream().anyMatch(Objects::isNull)) {
      throw new IllegalArgumentException("null in the place of a value in " + values);
    }
    return values == null ? Map.of() : new TreeMap<>(values);
  }

  /** Values found on one device with one driver, by kernel file. */
  public record Device(String name, String platform, String driver, Map<String, Kernel> kernels) {
    public Device {
      kernels = whole(kernels);
    }

    private boolean is(DeviceInfo device) {
      return device.name().equals(name) && device.identity().platform().equals(platform);
    }

    private boolean drives(DeviceInfo device) {
      return is(device) && device.identity().driver().equals(driver);
    }
  }

  /**
   * The values of a kernel file.
   *
   * @param source digest of the file that they were verified with; with another they are not used
   * @param macros names and values, over the built-in ones
   * @param sameBits whether all results have the bits that the built-in values give
   * @param speedup built-in time / time with these values, where they were found
   */
  public record Kernel(
      String source,
      Map<String, Integer> macros,
      @JsonProperty("same_bits") boolean sameBits,
      double speedup) {
    public Kernel {
      macros = whole(macros);
    }
  }

  /**
   * The content of a file; nothing where there is no such file.
   *
   * @throws OpenClException if it cannot be read or is not what {@link #write} wrote
   */
  public static TunedValues read(Path file) {
    if (!Files.exists(file)) {
      return new TunedValues(List.of());
    }
    try {
      TunedValues values = new ObjectMapper().readValue(file.toFile(), TunedValues.class);
      if (values == null) {
        throw JsonMappingException.from((JsonParser) null, "it is null");
      }
      return values;
    } catch (JacksonException e) {
      throw new OpenClException(
          "%s does not hold tuned kernel values: %s; mend or delete it, or run sparkformer tune"
              .formatted(file, e.getOriginalMessage()),
          e);
    } catch (IOException e) {
      throw new OpenClException("cannot read the tuned kernel values in " + file + ": " + e, e);
    }
  }

  /** The values for a device, by kernel file. */
  public Map<String, Kernel> of(DeviceInfo device) {
    return find(device).map(Device::kernels).orElse(Map.of());
  }

  /** The drivers for which alone there are values of this device; empty where it has its own. */
  List<String> otherDrivers(DeviceInfo device) {
    return find(device).isPresent()
        ? List.of()
        : devices.stream().filter(each -> each.is(device)).map(Device::driver).toList();
  }

  private Optional<Device> find(DeviceInfo device) {
    return devices.stream().filter(each -> each.drives(device)).findFirst();
  }

  /** The same with other values for one kernel file of a device, or with none if it is null. */
  public TunedValues with(DeviceInfo device, String file, Kernel kernel) {
    Map<String, Kernel> kernels = new TreeMap<>(of(device));
    if (kernel == null) {
      kernels.remove(file);
    } else {
      kernels.put(file, kernel);
    }
    List<Device> others = new ArrayList<>(devices);
    others.removeIf(each -> each.drives(device));
    DeviceInfo.Identity names = device.identity();
    if (!kernels.isEmpty()) {
      others.add(new Device(names.name(), names.platform(), names.driver(), kernels));
    }
    return new TunedValues(others);
  }

  /** Writes the file whole or not at all; makes its folder. */
  public void write(Path file) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    Files.createDirectories(folder);
    Path temporary = Files.createTempFile(folder, file.getFileName().toString(), ".part");
    try {
      new ObjectMapper()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .writeValue(temporary.toFile(), this);
      Files.move(
          temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /** Digest of a kernel file and what it includes. */
  public static String digest(String file) {
    CRC32C crc = new CRC32C();
    crc.update(KernelSource.resource(file).text().getBytes(StandardCharsets.UTF_8));
    return "%08x".formatted(crc.getValue());
  }
}
