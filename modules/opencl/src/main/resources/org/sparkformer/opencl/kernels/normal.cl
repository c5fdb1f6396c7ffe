// P(x) = (1 + erf(x / sqrt(2))) / 2 of the standard normal distribution to 1e-7, where e = exp(-x^2 / 2):
// Abramowitz and Stegun, 7.1.26. The lower tail does not cancel. `real` is float or a vector of them.
#define DEFINE_CUMULATIVE(name, real)                                \
  static inline real name(real x, real e) {                          \
    real t = 1.0f / fma(fabs(x), (real)(0.23164189f), (real)(1.0f)); \
    real sum = fma(t, (real)(1.061405429f), (real)(-1.453152027f));  \
    sum = fma(sum, t, (real)(1.421413741f));                         \
    sum = fma(sum, t, (real)(-0.284496736f));                        \
    sum = fma(sum, t, (real)(0.254829592f));                         \
    real tail = 0.5f * sum * t * e;                                  \
    return x < 0.0f ? tail : 1.0f - tail;                            \
  }
