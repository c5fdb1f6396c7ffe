// GELU of a product's sums, as GELU of product.cl says (Hendrycks and Gimpel, arXiv:1606.08415): in its tanh
// form, as x / (1 + exp(-2 u)), or by the standard normal distribution itself, as x P(x).
//
// REAL: what is computed at a time, float or a vector of them; EXPONENTIAL: its exponential.

#ifndef REAL
#define REAL float
#define EXPONENTIAL exp
#endif

#include "normal.cl"

DEFINE_CUMULATIVE(cumulative, REAL)

static inline REAL gelu(REAL x) {
#if GELU == 2
  return x * cumulative(x, EXPONENTIAL(-0.5f * x * x));
#else
  REAL u = x * fma(x * x, (REAL)(0.7978845608f * 0.044715f), (REAL)(0.7978845608f));
  return x / (1.0f + EXPONENTIAL(-2.0f * u));
#endif
}
