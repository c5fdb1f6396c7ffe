package org.sparkformer.opencl.kernels;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.tensor.ops.Attention;
import org.sparkformer.tensor.ops.AttentionForward;

/** {@code attention_gpu.cl}: tiles of queries or keys in the local memory of a work-group. */
final class GroupTiling implements AttentionTiling {
  private static final String FILE = "attention_gpu.cl";
  private static final int ITEMS = 128;
  private static final int DOWN = 16;

  /** Tiles, the ones that read local memory least before. */
  private static final List<Tiles> CHOICES =
      List.of(
          new Tiles(4, 32),
          new Tiles(2, 32),
          new Tiles(1, 32),
          new Tiles(4, 16),
          new Tiles(2, 16),
          new Tiles(1, 16));

  /** As tuned at most. */
  private static final Tiles LARGEST = CHOICES.get(0);

  /**
   * The macros of the same names.
   *
   * @param work rows of an item
   * @param block rows that pass at a time
   */
  private record Tiles(int work, int block) {
    private int own() {
      return DOWN * work;
    }

    /** Bytes of local memory that the kernel of a pass declares. */
    private long localBytes(AttentionPass pass, int headSize) {
      long stride = 4L * (Vectors.count(headSize, 4) | 1);
      long scores = (long) own() * 4 * (block / 4 | 1);
      long floats =
          switch (pass) {
            case FORWARD -> (own() + block) * stride + scores + 2 * ITEMS + own();
            case BACKWARD_QUERY -> 2 * (own() + block) * stride + scores;
            case BACKWARD_KEY -> 2 * (own() + block) * stride + 2 * scores;
            case BACKWARD_HEAD ->
                throw new IllegalArgumentException(FILE + " takes no gradients by whole heads");
          };
      return floats * Float.BYTES;
    }
  }

  private static Optional<Tiles> choose(
      Tiles most, AttentionPass pass, int headSize, DeviceInfo device) {
    return CHOICES.stream()
        .filter(tiles -> tiles.work() <= most.work() && tiles.block() <= most.block())
        .filter(tiles -> tiles.localBytes(pass, headSize) <= device.memory().local())
        .findFirst();
  }

  @Override
  public String file() {
    return FILE;
  }

  @Override
  public boolean runsOn(DeviceInfo device) {
    return device.kind() != DeviceInfo.Kind.CPU;
  }

  @Override
  public boolean fits(Attention attention, DeviceInfo device) {
    return choose(LARGEST, AttentionPass.BACKWARD_KEY, attention.headSize(), device).isPresent();
  }

  @Override
  public boolean roundsGradients() {
    return true;
  }

  @Override
  public AttentionLaunch launch(
      AttentionForward operation, AttentionPass pass, LaunchContext context) {
    Map<String, Integer> tunables = context.tunables(FILE);
    Tiles most = new Tiles(tunables.get("WORK"), tunables.get("BLOCK"));
    Tiles tiles = choose(most, pass, operation.headSize(), context.device()).orElseThrow();
    Map<String, Integer> macros =
        Map.of("WORK", tiles.work(), "BLOCK", tiles.block(), "PASS", pass.ordinal());
    return new AttentionLaunch(operation, pass, FILE, macros, tiles.own(), ITEMS, DOWN);
  }
}
