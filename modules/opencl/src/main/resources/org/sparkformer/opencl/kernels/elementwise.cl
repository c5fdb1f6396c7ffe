// Element-wise operations over n elements; each overwrites its output, which may be an input.
//
//   fill           x[i] = value
//   copy           y[i] = x[i]
//   add            y[i] = a[i] + b[i]
//   geluBackward   dx[i] = dy[i] (s + 2 x s (1 - s) sqrt(2/pi) (1 + 3 * 0.044715 x^2)), and with ACTIVATED
//                  activated[i] = x[i] s(x[i]), which may be x
//   exactGeluBackward  dx[i] = dy[i] (P(x[i]) + x[i] p(x[i])), and activated[i] = x[i] P(x[i]) likewise
//   dropout        y[i] = x[i] scale where word(firstElement + i) >= threshold, else 0
//
// GELU in its tanh form (Hendrycks and Gimpel, arXiv:1606.08415) is written with the logistic
// function s(x) = 1 / (1 + exp(-2 u)), u = sqrt(2/pi) (x + 0.044715 x^3), which equals
// (1 + tanh(u)) / 2 and does not cancel in the tails.
//
// Exact GELU has the standard normal distribution's P, with p its density; one exponential serves both.
//
// Where X_BF16 or Y_BF16 is 1, x or y is bf16 in those operations that say so; all else is fp32.
//
// A group of ITEMS work-items covers ITEMS * VECTORS * WIDTH consecutive elements.

#include "common.cl"
#include "dropout_range.cl"
#include "normal.cl"

#ifndef X_BF16
#define X_BF16 0
#endif
#ifndef Y_BF16
#define Y_BF16 0
#endif
#ifndef ACTIVATED
#define ACTIVATED 0
#endif
#ifndef VECTORS
#define VECTORS 256 // vectors of a work-item
#endif

/** Runs `vector` for every whole vector of the group and `scalar` for what is left at the end. */
#define FOR_ELEMENTS(vector, scalar)                                                              \
  long start = (long)get_group_id(0) * (ITEMS * VECTORS * WIDTH) + (long)get_local_id(0) * WIDTH; \
  for (int step = 0; step < VECTORS; step++) {                                                    \
    long i = start + (long)step * (ITEMS * WIDTH);                                                \
    if (i + WIDTH <= n) {                                                                         \
      vector;                                                                                     \
    } else {                                                                                      \
      for (; i < n; i++) {                                                                        \
        scalar;                                                                                   \
      }                                                                                           \
      break;                                                                                      \
    }                                                                                             \
  }

__kernel void fill(__global float *x, long xFirst, long n, float value) {
  x += xFirst;
  FOR_ELEMENTS(STORE((floatv)(value), x + i), x[i] = value)
}

/** x and y of either type. */
__kernel void copy(__global const ELEMENT(X_BF16) *x, long xFirst, __global ELEMENT(Y_BF16) *y,
                   long yFirst, long n) {
  x += xFirst;
  y += yFirst;
  FOR_ELEMENTS(STORE_AS(Y_BF16, LOAD_AS(X_BF16, x + i), y + i),
               y[i] = ELEMENT_OF(Y_BF16, VALUE(X_BF16, x[i])))
}

/** b of either type, as X_BF16 says. */
__kernel void add(__global const float *a, long aFirst, __global const ELEMENT(X_BF16) *b,
                  long bFirst, __global float *y, long yFirst, long n) {
  a += aFirst;
  b += bFirst;
  y += yFirst;
  FOR_ELEMENTS(STORE(LOAD(a + i) + LOAD_AS(X_BF16, b + i), y + i),
               y[i] = a[i] + VALUE(X_BF16, b[i]))
}

/** -2 u */
#define EXPONENT(x) (-1.5957691216f * fma(0.044715f * (x) * (x), (x), (x)))

/** The logistic function is 0 to the last digit where e, which must stay finite, is limited. */
#define SLOPE(v, e, s) \
  fma(2.0f * (v) * (s) * ((e) * (s)), 0.7978845608f * (1.0f + 0.134145f * (v) * (v)), (s))

/** x and activated as X_BF16 says, dy and dx as Y_BF16. */
__kernel void geluBackward(__global const ELEMENT(X_BF16) *x, long xFirst,
                           __global const ELEMENT(Y_BF16) *dy, long dyFirst,
                           __global ELEMENT(Y_BF16) *dx, long dxFirst,
                           __global ELEMENT(X_BF16) *activated, long activatedFirst, long n) {
  x += xFirst;
  activated += activatedFirst;
  dy += dyFirst;
  dx += dxFirst;
  FOR_ELEMENTS({
    floatv v = LOAD_AS(X_BF16, x + i);
    floatv t = EXPONENT(v);
    floatv e = boundedExponential(SELECT(t, (floatv)(80.0f), t > 80.0f));
    floatv s = 1.0f / (1.0f + e);
    STORE_AS(Y_BF16, LOAD_AS(Y_BF16, dy + i) * SLOPE(v, e, s), dx + i);
    if (ACTIVATED) STORE_AS(X_BF16, v * s, activated + i);
  }, {
    float v = VALUE(X_BF16, x[i]);
    float t = EXPONENT(v);
    float e = boundedExponentialOfOne(t > 80.0f ? 80.0f : t);
    float s = 1.0f / (1.0f + e);
    dx[i] = ELEMENT_OF(Y_BF16, VALUE(Y_BF16, dy[i]) * SLOPE(v, e, s));
    if (ACTIVATED) activated[i] = ELEMENT_OF(X_BF16, v * s);
  })
}

DEFINE_CUMULATIVE(cumulativeOfOne, float)
DEFINE_CUMULATIVE(cumulative, floatv)

/** x and activated as X_BF16 says, dy and dx as Y_BF16. */
__kernel void exactGeluBackward(__global const ELEMENT(X_BF16) *x, long xFirst,
                                __global const ELEMENT(Y_BF16) *dy, long dyFirst,
                                __global ELEMENT(Y_BF16) *dx, long dxFirst,
                                __global ELEMENT(X_BF16) *activated, long activatedFirst, long n) {
  x += xFirst;
  activated += activatedFirst;
  dy += dyFirst;
  dx += dxFirst;
  FOR_ELEMENTS({
    floatv v = LOAD_AS(X_BF16, x + i);
    floatv e = boundedExponential(-0.5f * v * v);
    floatv share = cumulative(v, e);
    STORE_AS(Y_BF16, LOAD_AS(Y_BF16, dy + i) * fma(0.3989422804f * v, e, share), dx + i);
    if (ACTIVATED) STORE_AS(X_BF16, v * share, activated + i);
  }, {
    float v = VALUE(X_BF16, x[i]);
    float e = boundedExponentialOfOne(-0.5f * v * v);
    float share = cumulativeOfOne(v, e);
    dx[i] = ELEMENT_OF(Y_BF16, VALUE(Y_BF16, dy[i]) * fma(0.3989422804f * v, e, share));
    if (ACTIVATED) activated[i] = ELEMENT_OF(X_BF16, v * share);
  })
}

// Steps of a work-item, for about as many elements as other operations give it.
#if VECTORS * WIDTH < WORDS
#define STEPS 1
#else
#define STEPS (VECTORS * WIDTH / WORDS)
#endif

__kernel void dropout(__global const float *x, long xFirst, __global float *y, long yFirst, long n,
                      DROPOUT_PARAMETERS) {
  long elements = (long)ITEMS * STEPS * WORDS;
  long start = get_group_id(0) * elements - (first_element & 3);
  dropRange(x + xFirst, 0, y + yFirst, max(start, 0L), min(start + elements, n), DROPOUT_ARGUMENTS);
}
