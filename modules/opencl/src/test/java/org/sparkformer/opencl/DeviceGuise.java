package org.sparkformer.opencl;

/**
 * A device taken for one of another kind: it gets that kind's kernels and tunables, and runs them.
 */
public final class DeviceGuise {
  /** What NVIDIA's driver reports, of any GPU. */
  private static final long LOCAL_BYTES = 48 << 10;

  private static final int AMPERE = 80;
  private static final int HOPPER = 90;

  private DeviceGuise() {}

  /** A GPU of no special kind. */
  public static OpenClDevice gpu(OpenClDevice device) {
    return gpu(device, device.info().identity(), 0);
  }

  /**
   * An NVIDIA GPU with tensor cores. Its platform stays the device's own, which takes no inline
   * PTX: kernels do NVIDIA's instructions in OpenCL C.
   */
  public static OpenClDevice nvidia(OpenClDevice device) {
    return nvidia(device, AMPERE);
  }

  /** As {@link #nvidia}, with the instructions of compute capability 9.0 too. */
  public static OpenClDevice hopper(OpenClDevice device) {
    return nvidia(device, HOPPER);
  }

  private static OpenClDevice nvidia(OpenClDevice device, int computeCapability) {
    DeviceInfo.Identity own = device.info().identity();
    DeviceInfo.Identity identity =
        new DeviceInfo.Identity(
            own.name(), "NVIDIA Corporation", own.platform(), own.driver(), own.pciBusId());
    return gpu(device, identity, computeCapability);
  }

  private static OpenClDevice gpu(
      OpenClDevice device, DeviceInfo.Identity identity, int computeCapability) {
    DeviceInfo info = device.info();
    DeviceInfo.Memory memory =
        new DeviceInfo.Memory(info.memory().global(), info.memory().largest(), LOCAL_BYTES);
    return new OpenClDevice(
        device.platform(),
        device.id(),
        new DeviceInfo(
            info.index(),
            DeviceInfo.Kind.GPU,
            identity,
            info.computeUnits(),
            info.floatVectorWidth(),
            memory,
            computeCapability));
  }
}
