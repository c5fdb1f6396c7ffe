package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;

/** Base of definitions that need the standard normal distribution. */
abstract class NormalKernel extends Kernel {

  /**
   * The distribution function, (1 + erf(x / sqrt(2))) / 2, to 1e-7 (Abramowitz and Stegun, 7.1.26).
   * The lower tail does not cancel.
   *
   * @param e exp(-x^2 / 2)
   */
  float cumulative(float x, float e) {
    float t = 1f / (1f + 0.23164189f * abs(x));
    float sum = 1.061405429f * t - 1.453152027f;
    sum = sum * t + 1.421413741f;
    sum = sum * t - 0.284496736f;
    sum = sum * t + 0.254829592f;
    float tail = 0.5f * sum * t * e;
    return x < 0f ? tail : 1f - tail;
  }
}
