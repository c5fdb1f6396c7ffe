package org.sparkformer.opencl.kernels;

import org.sparkformer.opencl.DeviceInfo;

/** The vector width that kernels for processors are built for. */
public final class Vectors {
  private Vectors() {}

  /** VW and WIDTH: the device's native width of fp32, within what the kernels are written for. */
  public static int width(DeviceInfo device) {
    int widest = Integer.highestOneBit(Math.max(1, device.floatVectorWidth()));
    return Math.max(4, Math.min(16, widest));
  }

  /** How many pieces of {@code size} hold {@code elements}. */
  static int count(int elements, int size) {
    return (elements + size - 1) / size;
  }
}
