package org.sparkformer.app.command;

/** Checks of numbers given on the command line. */
final class Positive {
  private Positive() {}

  static void check(String option, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(option + " must be at least 1, but is " + value);
    }
  }
}
