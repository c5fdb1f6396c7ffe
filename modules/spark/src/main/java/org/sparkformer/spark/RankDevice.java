package org.sparkformer.spark;

import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.Devices;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.OpenClDevice;
import org.sparkformer.opencl.OpenClException;
import org.sparkformer.opencl.OpenClOptions;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.reference.JavaBackend;

/**
 * The device of one rank.
 *
 * @param backend to be closed by whoever opened it
 * @param name the same for devices that round the same
 */
record RankDevice(Backend backend, String name) implements AutoCloseable {
  /** The selector that asks for the definitions as Java, without OpenCL. */
  static final String JAVA = "java";

  /**
   * A rank among those on its host.
   *
   * @param index from 0
   * @param count ranks on this host
   */
  record Neighbours(int index, int count) {
    static Neighbours of(int rank, List<String> hosts) {
      String host = hosts.get(rank);
      return new Neighbours(
          (int) hosts.subList(0, rank).stream().filter(host::equals).count(),
          (int) hosts.stream().filter(host::equals).count());
    }
  }

  /**
   * Opens a device. GPUs that Spark's scheduler assigned come first; else ranks of one host take
   * its GPUs in turn, or share its CPU by parts.
   *
   * @param selector as {@link DeviceSelector} has it, or {@code java}
   * @throws IllegalArgumentException when there is no such device; names what was found
   */
  static RankDevice open(String selector, List<String> gpuAddresses, Neighbours neighbours)
      throws IOException, InterruptedException {
    if (selector.toLowerCase(Locale.ROOT).equals(JAVA)) {
      return onJava(neighbours);
    }
    try {
      OpenClDevice device =
          gpuAddresses.isEmpty()
              ? turn(Devices.select(new DeviceSelector(selector)), selector, neighbours)
              : Devices.select(GpuAddress.selector(gpuAddresses.get(0)));
      return onOpenCl(device, neighbours);
    } catch (OpenClException e) {
      throw new IllegalArgumentException(advice(e), e);
    }
  }

  /** Loads the drivers on a thread of its own, while Spark starts. */
  static void loadDrivers() {
    Thread loading = new Thread(RankDevice::listDevices, "sparkformer-drivers");
    loading.setDaemon(true);
    loading.start();
  }

  private static void listDevices() {
    try {
      Devices.list();
    } catch (OpenClException missing) {
      // Told by whoever asks for a device.
    }
  }

  static String advice(OpenClException missing) {
    return missing.getMessage() + "; or ask for the slow Java definitions with --device java";
  }

  private static RankDevice onJava(Neighbours neighbours) {
    int threads = Math.max(1, Runtime.getRuntime().availableProcessors() / neighbours.count());
    return new RankDevice(new JavaBackend(threads), JAVA);
  }

  private static RankDevice onOpenCl(OpenClDevice device, Neighbours neighbours) {
    OpenClOptions options = OpenClOptions.defaults();
    if (device.info().kind() == DeviceInfo.Kind.CPU) {
      options = options.withPart(neighbours.index(), neighbours.count());
    }
    OpenClBackend backend = OpenClBackend.open(device, options);
    return new RankDevice(backend, backend.rounding());
  }

  /** Where the selector names any GPU, the rank's own among several. */
  private static OpenClDevice turn(OpenClDevice first, String selector, Neighbours neighbours) {
    boolean anyGpu =
        first.info().kind() == DeviceInfo.Kind.GPU
            && List.of("auto", "gpu").contains(selector.toLowerCase(Locale.ROOT));
    if (!anyGpu) {
      return first;
    }
    List<OpenClDevice> gpus =
        Devices.list().stream()
            .filter(device -> device.info().kind() == DeviceInfo.Kind.GPU)
            .sorted(Comparator.comparing(device -> device.info().index()))
            .toList();
    return gpus.get(neighbours.index() % gpus.size());
  }

  @Override
  public void close() {
    backend.close();
  }
}
