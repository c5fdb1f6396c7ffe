package org.sparkformer.models.generation;

import java.util.List;

/**
 * Ends streamed text before the first of some strings, wherever the pieces are cut: text that could
 * still become the start of a stop string is held back until it is decided.
 */
public final class StopStrings {
  private final List<String> stops;
  private final StringBuilder held = new StringBuilder();
  private boolean stopped;

  /**
   * @param stops none of them empty; may be none at all
   */
  public StopStrings(List<String> stops) {
    if (stops.stream().anyMatch(String::isEmpty)) {
      throw new IllegalArgumentException("a stop string is empty");
    }
    this.stops = List.copyOf(stops);
  }

  /** Whether a stop string has come; nothing more is let through then. */
  public boolean stopped() {
    return stopped;
  }

  /** Takes the next piece of text, and gives what can be shown by now. */
  public String append(String piece) {
    if (stopped) {
      return "";
    }
    held.append(piece);
    int completed = Integer.MAX_VALUE;
    int begin = held.length();
    for (String stop : stops) {
      int at = held.indexOf(stop);
      int end = at + stop.length();
      // The first to be complete counts, so that the cut does not depend on the pieces.
      if (at >= 0 && (end < completed || end == completed && at < begin)) {
        completed = end;
        begin = at;
      }
    }
    stopped = completed < Integer.MAX_VALUE;
    return take(stopped ? begin : held.length() - undecided());
  }

  /** The rest of the text, when no more will come. */
  public String finish() {
    return stopped ? "" : take(held.length());
  }

  private String take(int end) {
    String text = held.substring(0, end);
    held.delete(0, stopped ? held.length() : end);
    return text;
  }

  /** Length of the longest tail that starts a stop string. */
  private int undecided() {
    int longest = 0;
    for (String stop : stops) {
      for (int size = Math.min(stop.length() - 1, held.length()); size > longest; size--) {
        if (stop.startsWith(held.substring(held.length() - size))) {
          longest = size;
        }
      }
    }
    return longest;
  }
}
