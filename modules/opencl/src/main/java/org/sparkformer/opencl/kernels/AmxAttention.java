package org.sparkformer.opencl.kernels;

import java.util.HashMap;
import java.util.Map;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.Launch;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Attention;
import org.sparkformer.tensor.ops.AttentionForward;
import org.sparkformer.tensor.ops.Projection;

/**
 * Launches of a pass of {@code attention_amx.cl} and {@code attention_split.cl}: products by AMX of
 * operands rounded to bf16, and of fp32 in parts of bf16; a head a work-item.
 *
 * @param arithmetic of tiles
 */
record AmxAttention(
    AttentionForward operation,
    AttentionPass pass,
    HostArithmetic arithmetic,
    LaunchContext context) {
  private static final String PANELS = "attention_panels.cl";

  /** Queries or keys, in whole pairs of registers. */
  private static final int STEP = 2 * MatMulBlocks.TILE;

  /** Of a block, built in: so many that packing an operand pays, few enough for caches. */
  private static final int BUILT_IN = 128;

  /** Heads a compute unit must get for all to be busy with whole ones. */
  private static final int HEADS_A_UNIT = 4;

  /** Queries and keys that are multiplied at a time: OWN and ROWS. */
  private record Block(int queries, int keys) {
    /** Of so many at most. */
    static Block of(Attention attention, int queries, int keys) {
      return new Block(
          Math.min(queries, whole(attention.queries())), Math.min(keys, whole(attention.keys())));
    }

    static Block builtIn(Attention attention) {
      return of(attention, BUILT_IN, BUILT_IN);
    }

    /** Local memory of the kernel that declares more. */
    long declaredBytes(HostArithmetic arithmetic, int headSize) {
      int depth = whole(headSize);
      return Float.BYTES * Math.max(forward(arithmetic, depth), backward(arithmetic, depth));
    }

    private long forward(HostArithmetic arithmetic, int depth) {
      long words = (long) queries * arithmetic.words(depth) + STEP * arithmetic.words(keys);
      return words + (long) depth * queries + STEP * keys + 2L * queries;
    }

    private long backward(HostArithmetic arithmetic, int depth) {
      long words = 3L * keys * arithmetic.words(depth);
      words += 2L * STEP * arithmetic.words(queries) + (long) queries * arithmetic.words(keys);
      return words + 2L * depth * keys + 2L * STEP * queries;
    }
  }

  /** Of what panels have lanes: of rows, of their elements, or there are panels of either. */
  enum Lanes {
    ROWS,
    DEPTH,
    BOTH
  }

  /**
   * A head's rows in panels: of all heads, in scratch memory, or room in local memory for those
   * that a work-group makes of its own.
   *
   * @param ready null where there is room
   * @param held bytes of local memory
   */
  record Panels(Tensor ready, long held) implements AutoCloseable {
    /** Adds them to a launch's arguments. */
    Launch pass(Launch launch) {
      return launch.tensor(ready).local(held);
    }

    @Override
    public void close() {
      if (ready != null) {
        ready.close();
      }
    }
  }

  static String file(HostArithmetic arithmetic) {
    return arithmetic == HostArithmetic.SPLIT ? "attention_split.cl" : "attention_amx.cl";
  }

  /**
   * Half a register of queries costs as much as a whole one. What parts cost pays where they are
   * used for more than one block.
   */
  static boolean fits(HostArithmetic arithmetic, Attention attention, DeviceInfo device) {
    boolean parts = arithmetic == HostArithmetic.SPLIT;
    return attention.operands() == (parts ? DType.FLOAT32 : DType.BFLOAT16)
        && attention.queries() > (parts ? BUILT_IN : MatMulBlocks.TILE / 2)
        && Block.builtIn(attention).declaredBytes(arithmetic, attention.headSize())
            <= device.memory().local();
  }

  /** As tuned where local memory suffices. */
  private Block block() {
    Map<String, Integer> tunables = context.tunables(file(arithmetic));
    Attention attention = operation.attention();
    Block tuned = Block.of(attention, tunables.get("QUERIES"), tunables.get("KEYS"));
    return declaredBytes(tuned) <= context.device().memory().local()
        ? tuned
        : Block.builtIn(attention);
  }

  private long declaredBytes(Block block) {
    return block.declaredBytes(arithmetic, operation.headSize());
  }

  private static int whole(int count) {
    return Vectors.count(count, STEP) * STEP;
  }

  /** Whether work-groups hold panels of whole heads; the bits are the same either way. */
  private boolean holdsHeads() {
    long held =
        pass == AttentionPass.FORWARD
            ? 2 * words(operation.keys(), Lanes.ROWS)
            : 2 * words(operation.queries(), Lanes.BOTH);
    long heads = (long) operation.attention().batch() * operation.heads();
    return Float.BYTES * held + declaredBytes(block()) <= context.device().memory().local()
        && heads >= HEADS_A_UNIT * (long) context.device().computeUnits();
  }

  /** Of a head's panels of so many rows. */
  private long words(int rows, Lanes lanes) {
    long one = (long) whole(rows) * arithmetic.words(whole(operation.headSize()));
    return lanes == Lanes.BOTH ? 2 * one : one;
  }

  /** Of the pass's kernel: one takes all three gradients. */
  AttentionLaunch launch() {
    boolean forward = pass == AttentionPass.FORWARD;
    Block block = block();
    Map<String, Integer> tiles = new HashMap<>(instructions());
    if (arithmetic == HostArithmetic.SPLIT) {
      tiles.put("VAIN", context.tunables(file(arithmetic)).get("VAIN"));
    }
    tiles.put("OWN", forward ? block.queries() : block.keys());
    tiles.put("ROWS", forward ? block.keys() : block.queries());
    tiles.put("READY", holdsHeads() ? 0 : 1);
    int own = forward && !holdsHeads() ? block.queries() : pass.owned(operation);
    return new AttentionLaunch(
        operation, pass, file(arithmetic), tiles, own, 1, operation.queries());
  }

  private Map<String, Integer> instructions() {
    return Map.of(
        "AVX512_BF16", HostArithmetic.PAIRS.isAvailable() ? 1 : 0,
        "AMX", arithmetic.isAvailable() ? 1 : 0);
  }

  /**
   * Panels for the pass's kernel.
   *
   * @param rows of a sequence
   */
  Panels panels(Projection source, int rows, Lanes lanes) {
    return holdsHeads()
        ? new Panels(null, Float.BYTES * words(rows, lanes))
        : new Panels(pack(source, rows, lanes), Float.BYTES);
  }

  private Tensor pack(Projection source, int rows, Lanes lanes) {
    int heads = operation.heads();
    int batch = operation.attention().batch();
    Tensor panels = context.floats(batch * heads * words(rows, lanes));
    Map<String, Integer> macros = new HashMap<>(instructions());
    macros.put("D", operation.headSize());
    macros.put("PARTS", arithmetic.parts());
    macros.put("ALONG", lanes == Lanes.DEPTH ? 0 : 1);
    macros.put("ACROSS", lanes == Lanes.ROWS ? 0 : 1);
    Elements.define(macros, "X_BF16", source.tensor());
    int block = Math.min(BUILT_IN, whole(rows));
    context
        .kernel(PANELS, "pack_rows", macros)
        .elements(source.tensor())
        .number((long) source.first())
        .tensor(panels)
        .number(source.stride())
        .number(source.length())
        .number(rows)
        .number(block)
        .over(new long[] {Vectors.count(rows, block), heads, batch}, new long[] {1, 1, 1});
    return panels;
  }
}
