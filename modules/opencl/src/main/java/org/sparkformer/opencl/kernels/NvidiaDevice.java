package org.sparkformer.opencl.kernels;

import org.sparkformer.opencl.DeviceInfo;

/** What an NVIDIA GPU can do that OpenCL does not tell. */
final class NvidiaDevice {
  /** Ampere: the first with mma.sync on bf16, and with cp.async (PTX ISA 8.5, 9.7.14). */
  private static final int AMPERE = 80;

  private static final String PLATFORM = "NVIDIA CUDA";

  private NvidiaDevice() {}

  /** Whether its tensor cores multiply bf16. */
  static boolean multipliesBfloat16(DeviceInfo device) {
    return device.computeCapability() >= AMPERE;
  }

  /**
   * The macro PTX of {@code nvidia.cl}: 1 where the compiler takes inline PTX. Others get the same
   * kernels with those instructions' meaning in plain OpenCL C.
   */
  static int ptx(DeviceInfo device) {
    return device.identity().platform().equals(PLATFORM) ? 1 : 0;
  }
}
