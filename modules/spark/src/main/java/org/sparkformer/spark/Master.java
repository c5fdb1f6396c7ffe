package org.sparkformer.spark;

import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the text of a Spark master says. */
final class Master {
  private static final Pattern LOCAL_CLUSTER =
      Pattern.compile("local-cluster\\[\\s*(\\d+)\\s*,\\s*(\\d+)\\s*,\\s*(\\d+)\\s*]");

  private Master() {}

  /** Whether tasks are threads of the driver's own process. */
  static boolean isLocal(String master) {
    return master.equals("local") || master.startsWith("local[");
  }

  /** Whether executors are processes of this machine, started by the driver. */
  static boolean isLocalCluster(String master) {
    return master.startsWith("local-cluster");
  }

  /** Executors that a local-cluster starts; empty for other masters. */
  static OptionalInt executors(String master) {
    Matcher parts = LOCAL_CLUSTER.matcher(master);
    return parts.matches() ? OptionalInt.of(Integer.parseInt(parts.group(1))) : OptionalInt.empty();
  }

  /** MiB of each executor of a local-cluster; empty for other masters. */
  static OptionalInt executorMebibytes(String master) {
    Matcher parts = LOCAL_CLUSTER.matcher(master);
    return parts.matches() ? OptionalInt.of(Integer.parseInt(parts.group(3))) : OptionalInt.empty();
  }
}
