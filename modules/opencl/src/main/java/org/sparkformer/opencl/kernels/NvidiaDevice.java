package org.sparkformer.opencl.kernels;

import org.sparkformer.opencl.DeviceInfo;

/** What an NVIDIA GPU can do that OpenCL does not tell. */
public final class NvidiaDevice {
  /** Ampere: the first with mma.sync on bf16, and with cp.async (PTX ISA 8.5, 9.7.14). */
  private static final int AMPERE = 80;

  /** Hopper: wgmma (PTX ISA 8.5, 9.7.15) is of its feature set sm_90a, which no later one has. */
  private static final int HOPPER = 90;

  private NvidiaDevice() {}

  /** Whether its tensor cores multiply bf16. */
  public static boolean multipliesBfloat16(DeviceInfo device) {
    return device.computeCapability() >= AMPERE;
  }

  /** Whether its warp groups multiply bf16 straight from local memory. */
  static boolean multipliesByWarpGroups(DeviceInfo device) {
    return device.computeCapability() == HOPPER;
  }

  /**
   * The macro PTX of {@code nvidia.cl}: 1 where the compiler takes inline PTX. Others get the same
   * kernels with those instructions' meaning in plain OpenCL C.
   */
  static int ptx(DeviceInfo device) {
    return device.takesPtx() ? 1 : 0;
  }
}
