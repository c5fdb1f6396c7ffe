// One AdamW step over n flat parameters (Loshchilov and Hutter, arXiv:1711.05101, algorithm 2), the
// gradient clipped by its global norm; updates parameters, firstMoment and secondMoment in place. With
// ROUNDED it also overwrites rounded with the parameters, in fp32 or with ROUNDED_BF16 in bf16.
//
//   g = gradient min(1, clip / (norm + 1e-6)), norm = sqrt(squaredNorm[0]); clip 0: g = gradient
//   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
//   p = p - rate decay p - rate (m correction1) / (sqrt(v correction2) + epsilon)
//
// The first `decayed` elements decay. Where squaredNorm is not finite nothing changes. A group of
// ITEMS work-items covers ITEMS * VECTORS * WIDTH consecutive elements.

#include "common.cl"

#ifndef VECTORS
#define VECTORS 128 // vectors of a work-item
#endif

#ifndef ROUNDED
#define ROUNDED 0
#endif
#ifndef ROUNDED_BF16
#define ROUNDED_BF16 0
#endif

#define STEP(type, load, store, store_rounded)                       \
  {                                                                  \
    type g = load(gradients + i) * factor;                           \
    type p = load(parameters + i);                                   \
    type m = fma((type)(1.0f - beta1), g, beta1 * load(firstMoment + i));            \
    type v = fma((1.0f - beta2) * g, g, beta2 * load(secondMoment + i)); \
    store(m, firstMoment + i);                                       \
    store(v, secondMoment + i);                                      \
    type change = (m * correction1) / (sqrt(v * correction2) + epsilon); \
    type next = p - rate * weightDecay * p - rate * change;          \
    store(next, parameters + i);                                     \
    if (ROUNDED) store_rounded(next, rounded + i);                   \
  }

#define LOAD_ONE(p) (*(p))
#define STORE_ONE(v, p) (*(p) = (v))
#define ROUND(v, p) STORE_AS(ROUNDED_BF16, v, p)
#define ROUND_ONE(v, p) (*(p) = ELEMENT_OF(ROUNDED_BF16, v))

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void adamw(
    __global float *parameters, long parametersFirst, __global const float *gradients,
    long gradientsFirst, __global float *firstMoment, long firstMomentFirst,
    __global float *secondMoment, long secondMomentFirst,
    __global ELEMENT(ROUNDED_BF16) *rounded, long roundedFirst,
    __global const float *squaredNorm, long squaredNormFirst, long n, long decayed, float rate,
    float decay, float beta1, float beta2, float epsilon, float clip, float correction1,
    float correction2) {
  parameters += parametersFirst;
  gradients += gradientsFirst;
  firstMoment += firstMomentFirst;
  secondMoment += secondMomentFirst;
  rounded += roundedFirst;
  float square = squaredNorm[squaredNormFirst];
  if (!isfinite(square)) {
    return;
  }
  float factor = clip > 0.0f ? fmin(1.0f, clip / (sqrt(square) + 0.000001f)) : 1.0f;
  long start = (long)get_group_id(0) * (ITEMS * VECTORS * WIDTH) + (long)get_local_id(0) * WIDTH;
  for (int step = 0; step < VECTORS; step++) {
    long i = start + (long)step * (ITEMS * WIDTH);
    if (i + WIDTH <= n && (i + WIDTH <= decayed || i >= decayed)) {
      float weightDecay = i < decayed ? decay : 0.0f;
      STEP(floatv, LOAD, STORE, ROUND)
    } else {
      long end = min(i + WIDTH, n);
      for (; i < end; i++) {
        float weightDecay = i < decayed ? decay : 0.0f;
        STEP(float, LOAD_ONE, STORE_ONE, ROUND_ONE)
      }
    }
  }
}
