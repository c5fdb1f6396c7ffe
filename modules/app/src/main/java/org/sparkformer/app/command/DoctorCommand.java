package org.sparkformer.app.command;

import java.io.File;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.util.concurrent.Callable;
import org.apache.hadoop.util.VersionInfo;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.Devices;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.OpenClDevice;
import org.sparkformer.opencl.OpenClException;
import org.sparkformer.opencl.ProductCheck;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sparkformer doctor}. */
@Command(
    name = "doctor",
    description = "Says what this machine has, and whether training can run on it.",
    mixinStandardHelpOptions = true)
public final class DoctorCommand implements Callable<Integer> {
  private static final double GIB = 1 << 30;
  private static final ProductCheck PRODUCT = new ProductCheck(37, 53, 41);

  @Spec private CommandSpec spec;

  @Option(
      names = "--device",
      paramLabel = "WHICH",
      defaultValue = "auto",
      description =
          "The device to try: auto (a GPU, else the CPU), gpu, cpu, an index of its list, part of"
              + " a name, or pci:ADDRESS (default: ${DEFAULT-VALUE}).")
  private String device;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    line(out, "Java", Runtime.version() + ", " + System.getProperty("java.home"));
    line(out, "Heap", "up to %.1f GiB".formatted(Runtime.getRuntime().maxMemory() / GIB));
    line(out, "Machine", machine());
    line(out, "Hadoop", VersionInfo.getVersion());
    try {
      for (OpenClDevice each : Devices.list()) {
        line(out, "OpenCL", each.info().toString());
      }
      return tryDevice(out);
    } catch (OpenClException | IllegalArgumentException none) {
      line(out, "OpenCL", "NOT READY: " + none.getMessage());
      return 1;
    }
  }

  private static String machine() {
    var system =
        ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class);
    return "%d cores, %.1f GiB of memory, %.1f GiB of disk free here"
        .formatted(
            Runtime.getRuntime().availableProcessors(),
            system.getTotalMemorySize() / GIB,
            new File(".").getAbsoluteFile().getUsableSpace() / GIB);
  }

  private int tryDevice(PrintWriter out) {
    try (OpenClBackend backend = OpenClBackend.open(new DeviceSelector(device))) {
      line(out, "Chosen", backend.description());
      line(out, "Kernels", KernelList.text(backend.kernels()));
      boolean right = PRODUCT.isRight(backend, backend::run);
      line(out, "Check", "a matrix product on it is " + (right ? "right" : "WRONG"));
      out.println(right ? "Ready to train." : "NOT READY: this device computes wrong results.");
      return right ? 0 : 1;
    }
  }

  private static void line(PrintWriter out, String name, String value) {
    out.printf("%-9s%s%n", name, value);
    out.flush();
  }
}
