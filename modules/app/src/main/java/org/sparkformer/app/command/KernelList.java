package org.sparkformer.app.command;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Which kernel runs what, in few words: {@code adamw.cl: AdamW; elementwise.cl: Add, Copy}. */
final class KernelList {
  private KernelList() {}

  /**
   * @param kernels lines of the form {@code operation -> what runs it}
   */
  static String text(List<String> kernels) {
    Map<String, String> operations = new TreeMap<>();
    for (String kernel : kernels) {
      String[] sides = kernel.split(" -> ", 2);
      String runs = sides[sides.length - 1].split("[ ,]", 2)[0];
      operations.merge(runs, sides[0], (all, next) -> all + ", " + next);
    }
    return String.join(
        "; ",
        operations.entrySet().stream()
            .map(each -> each.getKey() + ": " + each.getValue())
            .toList());
  }
}
