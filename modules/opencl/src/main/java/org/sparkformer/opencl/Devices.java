package org.sparkformer.opencl;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.KHRICD;
import org.lwjgl.system.Configuration;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.Platform;

/** The OpenCL devices of this machine. */
public final class Devices {
  private static final String ADVICE =
      "on Debian or Ubuntu install one for the CPU with 'apt-get install ocl-icd-libopencl1"
          + " pocl-opencl-icd'; for a GPU install its vendor's driver";

  static {
    // LWJGL looks for libOpenCL.so, which only comes with the development package.
    if (Platform.get() == Platform.LINUX && Configuration.OPENCL_LIBRARY_NAME.get() == null) {
      Configuration.OPENCL_LIBRARY_NAME.set("libOpenCL.so.1");
    }
  }

  private Devices() {}

  /**
   * All devices of all platforms, in the order the drivers give them. One thread at a time: PoCL
   * tells no names while another thread is the first to ask.
   *
   * @throws OpenClException if there is no OpenCL library, no driver or no device
   */
  public static synchronized List<OpenClDevice> list() {
    NativeStacks.enlarge();
    SignalHandlers.keep();
    IcdFiles.complete();
    List<OpenClDevice> devices = new ArrayList<>();
    for (long platform : platforms()) {
      for (long id : ids(platform)) {
        DeviceInfo info = DeviceQuery.describe(devices.size(), platform, id);
        devices.add(new OpenClDevice(platform, id, info));
      }
    }
    if (devices.isEmpty()) {
      throw new OpenClException("no OpenCL device: the drivers offer none; " + ADVICE);
    }
    return List.copyOf(devices);
  }

  /**
   * The device that a selector names.
   *
   * @throws NoSuchDeviceException if there is none; lists what was found
   */
  public static OpenClDevice select(DeviceSelector selector) {
    List<OpenClDevice> devices = list();
    return selector
        .choose(devices)
        .orElseThrow(
            () ->
                new NoSuchDeviceException(
                    "no OpenCL device matches '%s'; found: %s"
                        .formatted(
                            selector.text(),
                            devices.stream()
                                .map(device -> device.info().toString())
                                .collect(Collectors.joining("; ")))));
  }

  private static long[] platforms() {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      int[] count = new int[1];
      int status = CL10.clGetPlatformIDs(null, count);
      if (status == KHRICD.CL_PLATFORM_NOT_FOUND_KHR || count[0] == 0) {
        throw new OpenClException("no OpenCL device: no driver is installed; " + ADVICE);
      }
      Status.check(status, "list OpenCL platforms");
      PointerBuffer platforms = stack.mallocPointer(count[0]);
      Status.check(CL10.clGetPlatformIDs(platforms, (int[]) null), "list OpenCL platforms");
      return toArray(platforms);
    } catch (UnsatisfiedLinkError | ExceptionInInitializerError | NoClassDefFoundError e) {
      throw new OpenClException(
          "no OpenCL device: the OpenCL library (libOpenCL.so.1) cannot be loaded; " + ADVICE, e);
    }
  }

  private static long[] ids(long platform) {
    try (MemoryStack stack = MemoryStack.stackPush()) {
      int[] count = new int[1];
      int status = CL10.clGetDeviceIDs(platform, CL10.CL_DEVICE_TYPE_ALL, null, count);
      if (status == CL10.CL_DEVICE_NOT_FOUND) {
        return new long[0];
      }
      Status.check(status, "list OpenCL devices");
      PointerBuffer devices = stack.mallocPointer(count[0]);
      Status.check(
          CL10.clGetDeviceIDs(platform, CL10.CL_DEVICE_TYPE_ALL, devices, (int[]) null),
          "list OpenCL devices");
      return toArray(devices);
    }
  }

  private static long[] toArray(PointerBuffer pointers) {
    long[] values = new long[pointers.remaining()];
    pointers.get(values);
    return values;
  }
}
