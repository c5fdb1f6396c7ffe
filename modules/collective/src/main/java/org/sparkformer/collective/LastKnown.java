package org.sparkformer.collective;

import java.time.Duration;
import java.util.StringJoiner;
import java.util.concurrent.TimeUnit;

/** What each rank last said that it is doing, for the report of a step that does not end. */
final class LastKnown {
  private final int rank;
  private final String[] told;
  private final long[] heardNanos;
  private final long[] sequences;
  private Activity own;

  LastKnown(int rank, int size) {
    this.rank = rank;
    this.told = new String[size];
    this.heardNanos = new long[size];
    this.sequences = new long[size];
  }

  /** This rank's own doing, from now on. */
  synchronized void watch(Activity activity) {
    own = activity;
  }

  /**
   * A peer has said what it is doing.
   *
   * @param sequence rises from 1; what was overtaken on the way is left out
   */
  synchronized void heard(int peer, long sequence, String description) {
    if (sequence > sequences[peer]) {
      sequences[peer] = sequence;
      told[peer] = description;
      heardNanos[peer] = System.nanoTime();
    }
  }

  /** For how long a peer has said nothing; zero where it never has, for nobody may watch it. */
  synchronized Duration silence(int peer) {
    return told[peer] == null
        ? Duration.ZERO
        : Duration.ofNanos(System.nanoTime() - heardNanos[peer]);
  }

  /** A clause about every rank, to follow other words; empty where nobody is watched. */
  synchronized String report() {
    if (own == null) {
      return "";
    }
    StringJoiner ranks = new StringJoiner("; ", "; last known: ", "");
    for (int peer = 0; peer < told.length; peer++) {
      ranks.add("rank " + peer + ": " + (peer == rank ? own.description() : ofPeer(peer)));
    }
    return ranks.toString();
  }

  private String ofPeer(int peer) {
    if (told[peer] == null) {
      return "never heard";
    }
    double age = (System.nanoTime() - heardNanos[peer]) / (double) TimeUnit.SECONDS.toNanos(1);
    return "%s (said %.1f s ago)".formatted(told[peer], age);
  }
}
