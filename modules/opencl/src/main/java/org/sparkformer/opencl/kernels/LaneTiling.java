package org.sparkformer.opencl.kernels;

import java.util.Map;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.tensor.ops.Attention;
import org.sparkformer.tensor.ops.AttentionForward;

/** {@code attention.cl}: a query or key in each vector lane of one work-item. */
final class LaneTiling implements AttentionTiling {
  private static final String FILE = "attention.cl";

  /** Heads a compute unit must get for all to be busy with whole ones. */
  private static final int HEADS_A_UNIT = 4;

  /** From this length on, wider tiles pay for what a causal mask wastes of them. */
  private static final int LONG = 512;

  @Override
  public String file() {
    return FILE;
  }

  @Override
  public boolean runsOn(DeviceInfo device) {
    return device.kind() == DeviceInfo.Kind.CPU;
  }

  @Override
  public boolean fits(Attention attention, DeviceInfo device) {
    long lanes = 3L * Vectors.width(device);
    long size = 8L * Vectors.count(attention.headSize(), 8);
    long rows = 32;
    long passes = size + 2L * Vectors.width(device);
    long floats = 4 * size * lanes + 2 * rows * (lanes + size) + passes * lanes;
    return floats * Float.BYTES <= device.memory().local();
  }

  @Override
  public boolean takesHeads(AttentionForward operation, DeviceInfo device) {
    long heads = (long) operation.attention().batch() * operation.heads();
    return heads >= HEADS_A_UNIT * (long) device.computeUnits();
  }

  @Override
  public AttentionLaunch launch(
      AttentionForward operation, AttentionPass pass, LaunchContext context) {
    Map<String, Integer> tunables = context.tunables(FILE);
    int owned = pass.owned(operation);
    int width = Vectors.width(context.device());
    int vectors = tunables.getOrDefault("NV", owned < LONG ? 2 : widest(width));
    int needed = Math.min(vectors, Vectors.count(owned, width));
    int rows = tunables.getOrDefault("ROWS", 32);
    boolean head = pass == AttentionPass.BACKWARD_HEAD;
    Map<String, Integer> tiles =
        Map.of("VW", width, "NV", needed, "ROWS", rows, "WHOLE", head ? 1 : 0);
    int own = head ? operation.keys() : needed * width;
    return new AttentionLaunch(operation, pass, FILE, tiles, own, 1, operation.queries());
  }

  /** Tiles of 8 rows: AVX-512 and NEON have the registers for three vectors, AVX for one. */
  private static int widest(int width) {
    return width == 8 ? 1 : 3;
  }
}
