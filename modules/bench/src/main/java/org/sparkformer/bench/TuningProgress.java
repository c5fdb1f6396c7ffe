package org.sparkformer.bench;

import java.io.PrintWriter;
import java.util.Locale;

/** Tells people what a tuner does, a line each. */
record TuningProgress(PrintWriter out) {

  void runsDefinitions(String file) {
    line(file, "runs its operations and their definitions");
  }

  void hasNoValues(String file) {
    line(file, "has no values to search");
  }

  void searches(String file, Tuner tuner) {
    line(
        file,
        "each candidate is held to %d operations, %s, and timed at %d"
            .formatted(
                tuner.verified(),
                tuner.sampled() == 0
                    ? "all by their definitions"
                    : tuner.sampled() + " of them by the definition of some rows",
                tuner.timed()));
  }

  void tried(Tuner.Candidate candidate) {
    String verdict =
        candidate.objection().isEmpty()
            ? "%5.1f%% of the time at %d %s%s"
                .formatted(
                    100 * candidate.ratio(),
                    candidate.operations(),
                    candidate.operations() == 1 ? "operation" : "operations",
                    candidate.better() ? ", the best so far" : "")
            : "passed over: " + candidate.objection();
    line(candidate.file(), "%-36s %s".formatted(candidate.macros(), verdict));
  }

  void found(Tuner.Result result) {
    line(result.file(), result.macros().isEmpty() ? kept(result) : won(result));
  }

  private static String kept(Tuner.Result result) {
    return "keeps its built-in values"
        + (result.doubted().isEmpty()
            ? ""
            : ": %s did not win against them again".formatted(result.doubted()));
  }

  private static String won(Tuner.Result result) {
    return "%s, %.2f times as fast as built in%s"
        .formatted(
            result.macros(), result.speedup(), result.sameBits() ? "" : ", rounds otherwise");
  }

  void failed(String file, String message) {
    line(file, "left as it is: " + message);
  }

  void device(Object device) {
    out.println(device);
    out.flush();
  }

  void written(Object file, double seconds) {
    out.printf(Locale.ROOT, "written to %s after %.0f s%n", file, seconds);
    out.flush();
  }

  private void line(String file, String what) {
    out.printf(Locale.ROOT, "%-26s %s%n", file, what);
    out.flush();
  }
}
