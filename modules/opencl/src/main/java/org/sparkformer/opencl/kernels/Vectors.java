package org.sparkformer.opencl.kernels;

import java.util.Map;
import org.sparkformer.opencl.DeviceInfo;

/** The vector width that kernels for processors are built for. */
public final class Vectors {
  private Vectors() {}

  /** VW and WIDTH: the device's native width of fp32, within what the kernels are written for. */
  public static int width(DeviceInfo device) {
    int widest = Integer.highestOneBit(Math.max(1, device.floatVectorWidth()));
    return Math.max(4, Math.min(16, widest));
  }

  /**
   * Groups that share out columns among their items, a vector each; 1 where groups of one item go
   * along whole rows.
   */
  static long columnGroups(int columns, Map<String, Integer> tunables) {
    int items = tunables.get("ITEMS");
    return items == 1 ? 1 : count(columns, items * tunables.get("WIDTH"));
  }

  /** The macro of {@code common.cl}: columns of partial sums that a group adds up. */
  static final int SUM_COLUMNS = 32;

  private static final int SUM_PARTS = 8;

  /** Items of such a group: one a column where groups of kernels have one, else several. */
  static int itemsOfSums(Map<String, Integer> tunables) {
    return tunables.get("ITEMS") == 1 ? SUM_COLUMNS : SUM_COLUMNS * SUM_PARTS;
  }

  /** How many pieces of {@code size} hold {@code elements}. */
  static int count(int elements, int size) {
    return (elements + size - 1) / size;
  }
}
