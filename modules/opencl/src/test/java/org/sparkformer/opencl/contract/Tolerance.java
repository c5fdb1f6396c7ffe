package org.sparkformer.opencl.contract;

/**
 * How far a result may lie from the Java definition's: |actual - expected| at most absolute +
 * relative |expected|. NaN is never near.
 */
public record Tolerance(double relative, double absolute) {
  private static final double EPSILON = Math.ulp(1f);

  /** For what only moves values or does one correctly rounded operation an element. */
  public static final Tolerance EXACT = new Tolerance(0, 0);

  /**
   * For sums of this many products of standard normal values, each an element of the result: the
   * order of summation is free, so the bound is that of the worst order (Higham, Accuracy and
   * Stability of Numerical Algorithms, 4.2), n epsilon times the mean absolute value.
   */
  public static Tolerance sum(long terms) {
    return new Tolerance(8 * EPSILON, (terms + 8) * EPSILON);
  }

  /**
   * The same by NVIDIA's tensor cores, which cut off what lies below the last place of a sum (Fasi,
   * Higham, Mikaitis and Pranesh, Numerical behavior of NVIDIA tensor cores, PeerJ Computer
   * Science, 2021). So each step of 16 terms moves it by up to one unit in that place, all in one
   * direction.
   */
  static Tolerance truncatedSum(long terms) {
    Tolerance rounded = sum(terms);
    double steps = Math.ceil(terms / 16.0);
    return new Tolerance(
        rounded.relative + steps * EPSILON, rounded.absolute + steps * EPSILON * Math.sqrt(terms));
  }

  /** A result's that is then rounded to bf16, which moves it by 2^-8 of itself. */
  Tolerance rounded() {
    return new Tolerance(relative + 0x1p-8 * (1 + relative), absolute * (1 + 0x1p-8));
  }

  boolean accepts(float actual, float expected) {
    if (expected == actual) {
      return true;
    }
    return Math.abs((double) actual - expected) <= absolute + relative * Math.abs(expected);
  }
}
