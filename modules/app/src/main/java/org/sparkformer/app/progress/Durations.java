package org.sparkformer.app.progress;

/** Times as people say them. */
public final class Durations {
  private Durations() {}

  /** For instance 2 h 05 min, 3 min 07 s, 12 s. */
  public static String text(double seconds) {
    long whole = Math.round(seconds);
    long hours = whole / 3600;
    long minutes = whole % 3600 / 60;
    if (hours > 0) {
      return "%d h %02d min".formatted(hours, minutes);
    }
    return minutes > 0 ? "%d min %02d s".formatted(minutes, whole % 60) : whole + " s";
  }
}
