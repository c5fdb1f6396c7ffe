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
    return gpu(device, madeBy(device, "Anybody"), 0);
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

  /**
   * Another processor.
   *
   * @param units compute units
   * @param width native width of fp32
   * @param local bytes of local memory
   */
  public static OpenClDevice processor(OpenClDevice device, int units, int width, long local) {
    DeviceInfo info = device.info();
    return disguised(
        device,
        new DeviceInfo(
            info.index(), info.kind(), info.identity(), units, width, withLocal(info, local), 0));
  }

  /** The same device with one compute unit, for which no product is too small to be split up. */
  public static OpenClDevice ofOneUnit(OpenClDevice device) {
    DeviceInfo info = device.info();
    return disguised(
        device,
        new DeviceInfo(
            info.index(),
            info.kind(),
            info.identity(),
            1,
            info.floatVectorWidth(),
            info.memory(),
            info.computeCapability()));
  }

  private static OpenClDevice nvidia(OpenClDevice device, int computeCapability) {
    return gpu(device, madeBy(device, "NVIDIA Corporation"), computeCapability);
  }

  private static DeviceInfo.Identity madeBy(OpenClDevice device, String vendor) {
    DeviceInfo.Identity own = device.info().identity();
    return new DeviceInfo.Identity(
        own.name(), vendor, own.platform(), own.driver(), own.pciBusId());
  }

  private static OpenClDevice gpu(
      OpenClDevice device, DeviceInfo.Identity identity, int computeCapability) {
    DeviceInfo info = device.info();
    return disguised(
        device,
        new DeviceInfo(
            info.index(),
            DeviceInfo.Kind.GPU,
            identity,
            info.computeUnits(),
            info.floatVectorWidth(),
            withLocal(info, LOCAL_BYTES),
            computeCapability));
  }

  private static DeviceInfo.Memory withLocal(DeviceInfo info, long bytes) {
    return new DeviceInfo.Memory(info.memory().global(), info.memory().largest(), bytes);
  }

  private static OpenClDevice disguised(OpenClDevice device, DeviceInfo info) {
    return new OpenClDevice(device.platform(), device.id(), info);
  }
}
