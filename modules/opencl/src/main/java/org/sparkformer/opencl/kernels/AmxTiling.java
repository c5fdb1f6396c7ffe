package org.sparkformer.opencl.kernels;

import java.util.Map;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.ops.Attention;
import org.sparkformer.tensor.ops.AttentionForward;

/** {@code attention_amx.cl}: products of operands rounded to bf16 by AMX, a head a work-item. */
final class AmxTiling implements AttentionTiling {
  private static final String FILE = "attention_amx.cl";

  /** Queries or keys, in whole pairs of registers. */
  private static final int STEP = 2 * MatMulBlocks.TILE;

  /** OWN and ROWS at most: so many that packing an operand pays, few enough for caches. */
  private static final int LARGEST = 128;

  @Override
  public String file() {
    return FILE;
  }

  @Override
  public String label() {
    return HostArithmetic.TILES.label();
  }

  @Override
  public boolean runsOn(DeviceInfo device) {
    return PackedMatMul.runsOn(HostArithmetic.TILES, device);
  }

  /** Half a register of queries costs as much as a whole one. */
  @Override
  public boolean fits(Attention attention, DeviceInfo device) {
    return attention.operands() == DType.BFLOAT16
        && attention.queries() > MatMulBlocks.TILE / 2
        && localBytes(attention) <= device.memory().local();
  }

  @Override
  public void prove(Backend backend, LaunchContext context) {
    new PackedMatMul(HostArithmetic.TILES).prove(backend, context);
  }

  /** Always: one kernel takes all three gradients. */
  @Override
  public boolean takesHeads(AttentionForward operation, DeviceInfo device) {
    return true;
  }

  @Override
  public AttentionLaunch launch(
      AttentionForward operation, AttentionPass pass, LaunchContext context) {
    boolean forward = pass == AttentionPass.FORWARD;
    int queries = block(operation.queries());
    int keys = block(operation.keys());
    Map<String, Integer> tiles =
        Map.of(
            "OWN", forward ? queries : keys,
            "ROWS", forward ? keys : queries,
            "AVX512_BF16", HostArithmetic.PAIRS.isAvailable() ? 1 : 0,
            "AMX", HostArithmetic.TILES.isAvailable() ? 1 : 0);
    int own = forward ? queries : operation.keys();
    return new AttentionLaunch(operation, pass, FILE, tiles, own, 1, operation.queries());
  }

  private static int block(int count) {
    return Math.min(LARGEST, Vectors.count(count, STEP) * STEP);
  }

  /** Of the backward kernel, which declares most. */
  private static long localBytes(Attention attention) {
    long rows = block(attention.queries());
    long own = block(attention.keys());
    long depth = (long) Vectors.count(attention.headSize(), STEP) * STEP;
    long operands = depth / 2 * (3 * own + 4 * rows + Math.max(own, rows));
    long scores = 3 * STEP * rows + rows * own / 2;
    return Float.BYTES * (operands + scores + 2 * depth * own);
  }
}
