package org.sparkformer.opencl.kernels;

import java.util.Map;
import java.util.function.Predicate;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.ops.Attention;

/** By which instructions of NVIDIA's tensor cores attention multiplies, and what they ask of it. */
enum TensorInstructions {
  /** Warp groups, straight from local memory: heads of one width alone. */
  WGMMA("attention_wgmma.cl", "wgmma", NvidiaDevice::multipliesByWarpGroups, 33, 64),
  MMA_SYNC("attention_tensor.cl", "mma.sync", NvidiaDevice::multipliesBfloat16, 1, 128);

  private final String file;
  private final String label;
  private final Predicate<DeviceInfo> device;
  private final int leastHeadSize;
  private final int mostHeadSize;

  TensorInstructions(
      String file,
      String label,
      Predicate<DeviceInfo> device,
      int leastHeadSize,
      int mostHeadSize) {
    this.file = file;
    this.label = label;
    this.device = device;
    this.leastHeadSize = leastHeadSize;
    this.mostHeadSize = mostHeadSize;
  }

  String file() {
    return file;
  }

  /** For people, behind the kernel's name. */
  String label() {
    return " (bf16 by " + label + ")";
  }

  boolean runsOn(DeviceInfo info) {
    return device.test(info);
  }

  /** Whether the operation lets its products round their operands, and its heads fit. */
  boolean supports(Attention attention) {
    int size = attention.headSize();
    return attention.operands() == DType.BFLOAT16 && size >= leastHeadSize && size <= mostHeadSize;
  }

  /** No driver promises {@link #WGMMA}. */
  void prove(Backend backend, LaunchContext context) {
    if (this == WGMMA) {
      WarpGroupMatMul.proveInstructions(backend, context);
    }
  }

  /** Queries or keys that a work-group owns in a pass. */
  int owned(AttentionPass pass, Map<String, Integer> tunables) {
    int most = tunables.getOrDefault("OWN", 64);
    // The sums of a gradient fill the registers of a compute unit with fewer items.
    return pass == AttentionPass.FORWARD ? most : Math.min(64, most);
  }
}
