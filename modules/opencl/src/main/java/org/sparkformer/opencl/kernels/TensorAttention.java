package org.sparkformer.opencl.kernels;

import java.util.HashMap;
import java.util.Map;
import org.sparkformer.opencl.Launch;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Attention;
import org.sparkformer.tensor.ops.AttentionForward;
import org.sparkformer.tensor.ops.Projection;

/** Launches of {@code attention_tensor.cl}, attention on NVIDIA's tensor cores. */
record TensorAttention(AttentionForward operation, LaunchContext context) {
  static final String FILE = "attention_tensor.cl";

  private static final int ITEMS = 128;

  /** Queries or keys that a work-group owns. */
  private static final int OWN = 64;

  private static final int PACK_WORDS = 256;
  private static final int SMALLEST_DEPTH = 16;
  private static final int LARGEST_DEPTH = 128;

  /** Whether the operation lets its products round their operands, and its heads fit. */
  static boolean supports(Attention attention) {
    return attention.operands() == DType.BFLOAT16 && attention.headSize() <= LARGEST_DEPTH;
  }

  private int depth() {
    int depth = SMALLEST_DEPTH;
    while (depth < operation.headSize()) {
      depth *= 2;
    }
    return depth;
  }

  /** BLOCK and STAGES at most such that buffers fill the 48 KiB that NVIDIA's driver reports. */
  private Map<String, Integer> macros(AttentionPass pass) {
    boolean wide = depth() == LARGEST_DEPTH;
    Map<String, Integer> macros = new HashMap<>(context.tunables(FILE));
    macros.put("PTX", NvidiaDevice.ptx(context.device()));
    macros.put("PASS", pass.ordinal());
    macros.merge("BLOCK", wide ? 32 : 64, Math::min);
    macros.merge("STAGES", wide && pass != AttentionPass.FORWARD ? 1 : 2, Math::min);
    macros.put("D", operation.headSize());
    macros.put("DEPTH", depth());
    macros.put("CAUSAL", operation.causal() ? 1 : 0);
    macros.put("PADDED", operation.keyLengths() == null ? 0 : 1);
    macros.put("DROPOUT", operation.threshold() > 0 ? 1 : 0);
    Elements.define(macros, "Y_BF16", operation.y());
    return macros;
  }

  /**
   * Queues the rounding of rows to scratch memory.
   *
   * @param rows of a sequence
   */
  Tensor pack(Projection source, int rows) {
    int batch = operation.attention().batch();
    int words = depth() / 2;
    Tensor packed = context.floats((long) batch * operation.heads() * rows * words);
    Map<String, Integer> macros = macros(AttentionPass.FORWARD);
    Elements.define(macros, "SOURCE_BF16", source.tensor());
    context
        .kernel(FILE, "pack_heads", macros)
        .elements(source.tensor())
        .tensor(packed)
        .number((long) source.first())
        .number(source.stride())
        .number(source.length())
        .number(rows)
        .over(
            new long[] {Launch.groups((long) rows * words, PACK_WORDS), operation.heads(), batch},
            new long[] {PACK_WORDS, 1, 1});
    return packed;
  }

  /** A launch of a pass, with what was packed and the key lengths as its first arguments. */
  Launch begin(AttentionPass pass, Tensor q, Tensor k, Tensor v) {
    return context
        .kernel(FILE, pass.kernel(), macros(pass))
        .tensor(q)
        .tensor(k)
        .tensor(v)
        .tensor(operation.keyLengths());
  }

  /** Extents and dropout, the last arguments of each pass; then the launch. */
  void over(AttentionPass pass, Launch launch) {
    launch
        .number(operation.queries())
        .number(operation.keys())
        .number(operation.firstQuery())
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
              Vectors.count(pass.owned(operation), OWN),
              operation.heads(),
              operation.attention().batch()
            },
            new long[] {ITEMS, 1, 1});
  }
}
