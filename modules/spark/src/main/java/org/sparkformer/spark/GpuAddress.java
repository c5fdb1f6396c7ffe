package org.sparkformer.spark;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Pattern;
import org.sparkformer.opencl.DeviceSelector;

/** GPUs as Spark's scheduler names them, and as OpenCL knows them. */
final class GpuAddress {
  private static final Pattern BUS = Pattern.compile("[0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:.*");

  private GpuAddress() {}

  /**
   * The device at an address of Spark's GPU scheduling: a bus address, or an index or UUID of
   * NVIDIA's driver, whose order is not OpenCL's.
   *
   * @throws IOException when nvidia-smi cannot tell the bus address
   */
  static DeviceSelector selector(String address) throws IOException, InterruptedException {
    String bus = BUS.matcher(address).matches() ? address : ask(address);
    return new DeviceSelector("pci:" + normalize(bus));
  }

  /** nvidia-smi writes a domain of eight digits, OpenCL one of four. */
  static String normalize(String bus) {
    return bus.strip().toLowerCase(Locale.ROOT).replaceFirst("^0{4}([0-9a-f]{4}:)", "$1");
  }

  private static String ask(String address) throws IOException, InterruptedException {
    Process query =
        new ProcessBuilder(
                "nvidia-smi", "--query-gpu=pci.bus_id", "--format=csv,noheader", "-i", address)
            .redirectErrorStream(true)
            .start();
    String answer =
        new String(query.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    if (query.waitFor() != 0 || !BUS.matcher(answer).matches()) {
      throw new IOException(
          "nvidia-smi does not know GPU '%s' that Spark assigned: %s".formatted(address, answer));
    }
    return answer;
  }
}
