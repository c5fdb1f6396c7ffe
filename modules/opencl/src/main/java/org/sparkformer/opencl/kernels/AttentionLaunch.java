package org.sparkformer.opencl.kernels;

import java.util.HashMap;
import java.util.Map;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.Launch;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.tensor.ops.Attention;
import org.sparkformer.tensor.ops.AttentionForward;

/**
 * What the kernels of {@code attention.cl} share: tiles, macros and the arguments at either end.
 *
 * @param lanes queries, or keys, that a work-group owns
 */
record AttentionLaunch(AttentionForward operation, int vectors, int lanes, int rows) {
  static final String FILE = "attention.cl";

  /** From this length on, wider tiles pay for what a causal mask wastes of them. */
  private static final int LONG = 512;

  /**
   * @param owned queries or keys, whichever the work-groups share out
   */
  static AttentionLaunch of(AttentionForward operation, int owned, LaunchContext context) {
    Map<String, Integer> tunables = context.tunables(FILE);
    int width = Vectors.width(context.device());
    int vectors = tunables.getOrDefault("NV", owned < LONG ? 2 : widest(width));
    int needed = Math.min(vectors, Vectors.count(owned, width));
    return new AttentionLaunch(
        operation, needed, needed * width, tunables.getOrDefault("ROWS", 32));
  }

  /** Tiles of 8 rows: AVX-512 and NEON have the registers for three vectors, AVX for one. */
  private static int widest(int width) {
    return width == 8 ? 1 : 3;
  }

  /** Whether the largest kernel's local memory fits. */
  static boolean fits(Attention attention, DeviceInfo device) {
    long lanes = 3L * Vectors.width(device);
    long size = 8L * Vectors.count(attention.headSize(), 8);
    long rows = 32;
    long floats = 4 * size * lanes + 2 * rows * (lanes + size);
    return device.kind() == DeviceInfo.Kind.CPU && floats * Float.BYTES <= device.memory().local();
  }

  /** A launch of a kernel, with q, k, v and the key lengths as its first arguments. */
  Launch begin(String kernel, LaunchContext context) {
    return context
        .kernel(FILE, kernel, macros(context))
        .tensor(operation.q())
        .number((long) operation.firstQ())
        .tensor(operation.k())
        .number((long) operation.firstK())
        .tensor(operation.v())
        .number((long) operation.firstV())
        .tensor(operation.keyLengths());
  }

  private Map<String, Integer> macros(LaunchContext context) {
    Map<String, Integer> macros = new HashMap<>();
    macros.put("VW", Vectors.width(context.device()));
    macros.put("NV", vectors);
    macros.put("ROWS", rows);
    macros.put("D", operation.headSize());
    macros.put("CAUSAL", operation.causal() ? 1 : 0);
    macros.put("PADDED", operation.keyLengths() == null ? 0 : 1);
    macros.put("DROPOUT", operation.threshold() > 0 ? 1 : 0);
    return macros;
  }

  /** A launch of the kernel that sums dy y over rows. */
  Launch delta(LaunchContext context) {
    return context.kernel(FILE, "attention_delta", macros(context));
  }

  /** Extents, strides and dropout, the last arguments of each kernel; then the launch. */
  void over(Launch launch, int owned) {
    launch
        .number(operation.queries())
        .number(operation.keys())
        .number(operation.firstQuery())
        .number(operation.strideQ())
        .number(operation.strideK())
        .number(operation.strideV())
        .number(operation.lengthK())
        .number(operation.lengthV())
        .number(operation.scale())
        .number(operation.firstElement())
        .number(operation.threshold())
        .number(operation.keepScale())
        .number(operation.seedLow())
        .number(operation.seedHigh())
        .number(operation.site())
        .number(operation.step())
        .over(
            new long[] {
              Vectors.count(owned, lanes), operation.heads(), operation.attention().batch()
            },
            new long[] {1, 1, 1});
  }
}
