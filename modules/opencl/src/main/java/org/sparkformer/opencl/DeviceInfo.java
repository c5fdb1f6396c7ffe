package org.sparkformer.opencl;

/**
 * What is known of an OpenCL device.
 *
 * @param index its place in {@link Devices#list()}
 * @param floatVectorWidth native width of a vector of fp32
 * @param computeCapability NVIDIA's number for what a GPU can do, as 90 for 9.0; 0 elsewhere
 */
public record DeviceInfo(
    int index,
    Kind kind,
    Identity identity,
    int computeUnits,
    int floatVectorWidth,
    Memory memory,
    int computeCapability) {

  /** What kind of processor it is. */
  public enum Kind {
    GPU,
    CPU,
    ACCELERATOR
  }

  /**
   * Names of a device.
   *
   * @param pciBusId as in 0000:3b:00.0; empty where the driver does not tell
   */
  public record Identity(
      String name, String vendor, String platform, String driver, String pciBusId) {}

  /**
   * Memory in bytes.
   *
   * @param largest of one buffer
   */
  public record Memory(long global, long largest, long local) {}

  /** Whether its compiler makes PTX, and takes it inline. */
  public boolean takesPtx() {
    return identity.platform().equals("NVIDIA CUDA");
  }

  public String name() {
    return identity.name();
  }

  public String vendor() {
    return identity.vendor();
  }

  /** One line for people. */
  @Override
  public String toString() {
    return "[%d] %s: %s, %d compute units, %.1f GiB, driver %s (%s)%s%s"
        .formatted(
            index,
            kind,
            name(),
            computeUnits,
            memory.global() / (double) (1 << 30),
            identity.driver(),
            identity.platform(),
            computeCapability == 0
                ? ""
                : ", compute capability " + computeCapability / 10 + "." + computeCapability % 10,
            identity.pciBusId().isEmpty() ? "" : ", PCI " + identity.pciBusId());
  }
}
