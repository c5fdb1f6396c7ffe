package org.sparkformer.opencl.kernels;

import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.tensor.ops.Attention;
import org.sparkformer.tensor.ops.AttentionForward;

/** How the kernels of one file divide attention among work-groups. */
interface AttentionTiling {
  /** The kernels' file. */
  String file();

  /** Whether they are made for this kind of device at all. */
  boolean runsOn(DeviceInfo device);

  /** Whether they are made for this attention, and the largest kernel's local memory fits. */
  boolean fits(Attention attention, DeviceInfo device);

  /**
   * Whether the gradients are taken by whole heads. The bits are the same either way, so that the
   * compute units may decide.
   */
  default boolean takesHeads(AttentionForward operation, DeviceInfo device) {
    return false;
  }

  /** Whether the gradients may be bf16. */
  default boolean roundsGradients() {
    return false;
  }

  /** Launches of one pass. */
  AttentionLaunch launch(AttentionForward operation, AttentionPass pass, LaunchContext context);
}
