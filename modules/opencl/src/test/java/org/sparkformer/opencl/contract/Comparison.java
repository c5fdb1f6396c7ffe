package org.sparkformer.opencl.contract;

/** Comparison of results that NaN cannot pass. */
final class Comparison {
  private Comparison() {}

  static void finite(String name, float[] values) {
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        throw new AssertionError("%s[%d] is %s".formatted(name, i, values[i]));
      }
    }
  }

  /** Where NaN is expected, an element that the operation must not touch, NaN must be found. */
  static void near(String name, float[] actual, float[] expected, Tolerance tolerance) {
    if (actual.length != expected.length) {
      throw new AssertionError(name + ": " + actual.length + " elements, not " + expected.length);
    }
    for (int i = 0; i < actual.length; i++) {
      boolean untouched = Float.isNaN(expected[i]) && Float.isNaN(actual[i]);
      if (!untouched && !tolerance.accepts(actual[i], expected[i])) {
        throw new AssertionError(
            "%s[%d] is %s, expected %s within %s"
                .formatted(name, i, actual[i], expected[i], tolerance));
      }
    }
  }
}
