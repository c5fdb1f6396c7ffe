package org.sparkformer.opencl.kernels;

import java.util.HashMap;
import java.util.Map;
import org.sparkformer.opencl.Launch;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.AttentionForward;
import org.sparkformer.tensor.ops.Projection;

/** Launches of {@code attention_tensor.cl}, attention on NVIDIA's tensor cores. */
record TensorAttention(
    AttentionForward operation, TensorInstructions instructions, LaunchContext context) {
  /** Items of a work-group for each row that it owns: a warp has 16. */
  private static final int ITEMS_A_ROW = 2;

  private static final int PACK_WORDS = 256;

  private static final int SMALLEST_DEPTH = 16;
  private static final int WIDE_DEPTH = 128;

  private int depth() {
    int depth = SMALLEST_DEPTH;
    while (depth < operation.headSize()) {
      depth *= 2;
    }
    return depth;
  }

  private int owned(AttentionPass pass) {
    return instructions.owned(pass, context.tunables(instructions.file()));
  }

  /** BLOCK and STAGES at most such that buffers fill the 48 KiB that NVIDIA's driver reports. */
  private Map<String, Integer> macros(AttentionPass pass) {
    boolean wide = depth() == WIDE_DEPTH;
    Map<String, Integer> macros = new HashMap<>(context.tunables(instructions.file()));
    macros.put("PTX", NvidiaDevice.ptx(context.device()));
    macros.put("PASS", pass.ordinal());
    macros.put("OWN", owned(pass));
    macros.merge("BLOCK", wide ? 32 : 64, Math::min);
    macros.merge("STAGES", wide && pass != AttentionPass.FORWARD ? 1 : 2, Math::min);
    macros.put("D", operation.headSize());
    macros.put("DEPTH", depth());
    macros.put("CAUSAL", operation.causal() ? 1 : 0);
    macros.put("PADDED", operation.keyLengths() == null ? 0 : 1);
    Dropouts.define(macros, operation);
    Elements.define(macros, "Y_BF16", operation.y());
    return macros;
  }

  /**
   * Rows of heads as the kernels take them: bf16, {@link #depth} long, at whole chunks.
   *
   * @param tensor from the first row of the first head on
   * @param packed whether it is scratch memory
   * @param batchStride elements from one sequence to the next
   * @param headStride elements from one head to the next
   * @param stride elements from one row to the next
   */
  record Rows(Tensor tensor, boolean packed, long batchStride, long headStride, int stride)
      implements AutoCloseable {

    /** Adds them to a launch's arguments. */
    Launch pass(Launch launch) {
      return launch.elements(tensor).number(batchStride).number(headStride).number(stride);
    }

    @Override
    public void close() {
      if (packed) {
        tensor.close();
      }
    }
  }

  /**
   * Rows for the kernels: as they lie where they can be taken so, else rounded to scratch memory.
   *
   * @param rows of a sequence
   */
  Rows rows(Projection source, int rows) {
    if (isReady(source)) {
      Tensor all = source.tensor();
      Tensor heads = all.view(source.first(), all.size() - source.first());
      long sequence = (long) source.length() * source.stride();
      return new Rows(heads, false, sequence, operation.headSize(), source.stride());
    }
    long head = (long) rows * depth();
    return new Rows(pack(source, rows), true, head * operation.heads(), head, depth());
  }

  private boolean isReady(Projection source) {
    return Elements.isBfloat16(source.tensor())
        && operation.headSize() == depth()
        && source.stride() % PackedOperand.CHUNK == 0
        && (source.tensor().offset() + source.first()) % PackedOperand.CHUNK == 0;
  }

  private Tensor pack(Projection source, int rows) {
    int batch = operation.attention().batch();
    int words = depth() / 2;
    Tensor packed = context.floats((long) batch * operation.heads() * rows * words);
    Map<String, Integer> macros = macros(AttentionPass.FORWARD);
    Elements.define(macros, "SOURCE_BF16", source.tensor());
    context
        .kernel(instructions.file(), "pack_heads", macros)
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

  /**
   * A launch of a pass, with rows and the key lengths as its first arguments.
   *
   * @param gradient of the type that the pass gives out; null in the forward one
   */
  Launch begin(AttentionPass pass, Tensor gradient, Rows q, Rows k, Rows v) {
    Map<String, Integer> macros = macros(pass);
    Elements.define(macros, "GRADIENT_BF16", gradient);
    Launch launch = context.kernel(instructions.file(), pass.kernel(), macros);
    return v.pass(k.pass(q.pass(launch))).tensor(operation.keyLengths());
  }

  /** Extents and dropout, the last arguments of each pass; then the launch. */
  void over(AttentionPass pass, Launch launch) {
    launch
        .number(operation.queries())
        .number(operation.keys())
        .number(operation.firstQuery())
        .number(operation.scale());
    Dropouts.pass(launch, operation.dropout())
        .over(
            new long[] {
              Vectors.count(pass.owned(operation), owned(pass)),
              operation.heads(),
              operation.attention().batch()
            },
            new long[] {(long) ITEMS_A_ROW * owned(pass), 1, 1});
  }
}
