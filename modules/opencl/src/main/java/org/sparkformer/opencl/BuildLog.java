package org.sparkformer.opencl;

import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** What a driver's compiler said of a program that it refused. */
record BuildLog(String text) {
  private static final int MOST_LINES = 3;
  private static final int MOST_CHARACTERS = 400;

  /** The first lines that tell of an error, as one line of bounded length. */
  String excerpt() {
    List<String> lines = text.lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
    if (lines.isEmpty()) {
      return "the compiler left no log";
    }
    int first = firstError(lines);
    int last = Math.min(lines.size(), first + MOST_LINES);
    String joined = String.join(" | ", lines.subList(first, last));
    boolean whole = first == 0 && last == lines.size() && joined.length() <= MOST_CHARACTERS;
    return whole
        ? joined
        : joined.substring(0, Math.min(joined.length(), MOST_CHARACTERS))
            + " ... (--debug shows the whole log)";
  }

  /** Compilers warn first; 0 where no line calls itself an error. */
  private static int firstError(List<String> lines) {
    return IntStream.range(0, lines.size())
        .filter(line -> lines.get(line).toLowerCase(Locale.ROOT).contains("error"))
        .findFirst()
        .orElse(0);
  }
}
