package org.sparkformer.spark;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Counts what lives on the heap of another Java process, as Java's own {@code jcmd} tells it. */
final class LiveHeap {
  private static final Pattern TOTAL = Pattern.compile("(?m)^Total +\\d+ +(\\d+)");

  private LiveHeap() {}

  /**
   * Bytes of the objects that are left after a collection. That one is left undone while any thread
   * is inside JNI's critical section: the count is too high then.
   *
   * @param process of this user's
   */
  static long bytes(ProcessHandle process) throws IOException {
    String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
    Process counting =
        new ProcessBuilder(jcmd, Long.toString(process.pid()), "GC.class_histogram")
            .redirectErrorStream(true)
            .start();
    String histogram = new String(counting.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    Matcher total = TOTAL.matcher(histogram);
    if (!total.find()) {
      throw new IOException("no histogram of process %d: %s".formatted(process.pid(), histogram));
    }
    return Long.parseLong(total.group(1));
  }
}
