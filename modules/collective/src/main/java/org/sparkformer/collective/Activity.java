package org.sparkformer.collective;

import java.time.Duration;

/** What a rank is doing, as it can say at any time and on any thread. */
public interface Activity {
  /** For people, the rank's number left out: where it is, and for how long it has been there. */
  String description();

  /** For how long it has not moved; zero while nothing is under way that could be stuck. */
  Duration stillness();

  /**
   * It has not moved for longer than the step timeout, and the collective has been ended for it.
   *
   * @param report says so, and what each rank last did
   */
  default void stuck(String report) {}
}
