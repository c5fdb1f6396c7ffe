// Element-wise operations over n elements; each overwrites its output, which may be an input.
//
//   fill           x[i] = value
//   copy           y[i] = x[i]
//   add            y[i] = a[i] + b[i]
//   gelu           y[i] = x[i] s(x[i])
//   geluBackward   dx[i] = dy[i] (s + 2 x s (1 - s) sqrt(2/pi) (1 + 3 * 0.044715 x^2))
//   dropout        y[i] = x[i] scale where word(firstElement + i) >= threshold, else 0
//
// GELU in its tanh form (Hendrycks and Gimpel, arXiv:1606.08415) is written with the logistic
// function s(x) = 1 / (1 + exp(-2 u)), u = sqrt(2/pi) (x + 0.044715 x^3), which equals
// (1 + tanh(u)) / 2 and does not cancel in the tails.
//
// A group of ITEMS work-items covers ITEMS * VECTORS * WIDTH consecutive elements.

#include "common.cl"
#include "philox.cl"

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

__kernel void copy(__global const float *x, long xFirst, __global float *y, long yFirst, long n) {
  x += xFirst;
  y += yFirst;
  FOR_ELEMENTS(STORE(LOAD(x + i), y + i), y[i] = x[i])
}

__kernel void add(__global const float *a, long aFirst, __global const float *b, long bFirst,
                  __global float *y, long yFirst, long n) {
  a += aFirst;
  b += bFirst;
  y += yFirst;
  FOR_ELEMENTS(STORE(LOAD(a + i) + LOAD(b + i), y + i), y[i] = a[i] + b[i])
}

/** exp(-2 u); beyond u = -40 GELU is 0 to the last digit, and the exponential would overflow. */
#define EXPONENTIAL(x) \
  exp(-2.0f * fmax(0.7978845608f * fma(0.044715f * (x) * (x), (x), (x)), -40.0f))

#define GELU(x) ((x) / (1.0f + EXPONENTIAL(x)))

__kernel void gelu(__global const float *x, long xFirst, __global float *y, long yFirst, long n) {
  x += xFirst;
  y += yFirst;
  FOR_ELEMENTS({
    floatv v = LOAD(x + i);
    STORE(GELU(v), y + i);
  }, y[i] = GELU(x[i]))
}

#define SLOPE(v, e, s) \
  fma(2.0f * (v) * (s) * ((e) * (s)), 0.7978845608f * (1.0f + 0.134145f * (v) * (v)), (s))

__kernel void geluBackward(__global const float *x, long xFirst, __global const float *dy,
                           long dyFirst, __global float *dx, long dxFirst, long n) {
  x += xFirst;
  dy += dyFirst;
  dx += dxFirst;
  FOR_ELEMENTS({
    floatv v = LOAD(x + i);
    floatv e = EXPONENTIAL(v);
    floatv s = 1.0f / (1.0f + e);
    STORE(LOAD(dy + i) * SLOPE(v, e, s), dx + i);
  }, {
    float v = x[i];
    float e = EXPONENTIAL(v);
    float s = 1.0f / (1.0f + e);
    dx[i] = dy[i] * SLOPE(v, e, s);
  })
}

/**
 * One work-item covers DROPPED = 4 LANES elements a step: LANES Philox blocks side by side, starting
 * at a multiple of 4 of the global element number.
 */
#define DROPPED (4 * LANES)

__kernel void dropout(__global const float *x, long xFirst, __global float *y, long yFirst, long n,
                      long firstElement, long threshold, float scale, uint seedLow, uint seedHigh,
                      uint site, uint step) {
  x += xFirst;
  y += yFirst;
  long skew = firstElement & 3;
  long i = (long)get_global_id(0) * DROPPED - skew;
  uint limit = (uint)threshold;
  wordv words[4];
  philox((ulong)((firstElement + i) >> 2), (uint2)(seedLow, seedHigh), site, step, words);
  if (i >= 0 && i + DROPPED <= n) {
    for (int part = 0; part < 4; part++) {
      wordv kept = words[part];
      realv value = LOAD_LANES(x + i + part * LANES);
      STORE_LANES(KEEP(kept, limit, value * scale), y + i + part * LANES);
    }
  } else {
    uint single[DROPPED];
    for (int part = 0; part < 4; part++) {
      STORE_WORDS(words[part], single + part * LANES);
    }
    for (int j = 0; j < DROPPED; j++) {
      if (i + j >= 0 && i + j < n) {
        y[i + j] = single[j] >= limit ? x[i + j] * scale : 0.0f;
      }
    }
  }
}
