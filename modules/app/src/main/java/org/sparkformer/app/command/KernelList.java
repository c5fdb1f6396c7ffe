package org.sparkformer.app.command;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

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
      String runs = files(sides[sides.length - 1]);
      operations.merge(runs, sides[0], (all, next) -> all + ", " + next);
    }
    return String.join(
        "; ",
        operations.entrySet().stream()
            .map(each -> each.getKey() + ": " + each.getValue())
            .toList());
  }

  /** Of the kernels that are asked for an operation, one after the other. */
  private static String files(String kernels) {
    return Arrays.stream(kernels.split(", else "))
        .map(kernel -> kernel.split("[ ,]", 2)[0])
        .distinct()
        .collect(Collectors.joining(" or "));
  }
}
