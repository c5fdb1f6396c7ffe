// Vectors of WIDTH floats, whatever WIDTH is, and reductions of a work-group.
//
// Tensors arrive as a buffer and the number of their first element in it: `__global float *x,
// long xFirst`. They may start at any element, so vectors are loaded and stored without alignment.
//
// ITEMS work-items make up a group, always: results must not depend on the device's size. A CPU
// has one item a group, which runs over whole rows; a GPU has many, which share a row.
//
// LOAD_AS and STORE_AS move vectors of elements that are fp32 or bf16, by a macro as in elements.cl.

#include "elements.cl"

// A loop that is not unrolled as asked is not worth a line on everybody's terminal.
#pragma clang diagnostic ignored "-Wpass-failed"

#ifndef WIDTH
#define WIDTH 16 // floats of a vector: 1, 2, 4, 8 or 16
#endif
#ifndef ALIGNED
#define ALIGNED 0 // 1 where vectors of WIDTH elements lie at multiples of their size
#endif
#ifndef ITEMS
#define ITEMS 1 // work-items of a group, a power of two
#endif

#define JOIN_EXPANDED(a, b) a##b
#define JOIN(a, b) JOIN_EXPANDED(a, b)

#if WIDTH == 1
typedef float floatv;
typedef int intv;
typedef uint uintv;
typedef ushort ushortv;
typedef float unalignedv;
#define AS_INT as_int
#define AS_UINT as_uint
#define AS_FLOAT as_float
#define CONVERT_UINT convert_uint
#define CONVERT_USHORT convert_ushort
#define SELECT(otherwise, then, condition) ((condition) ? (then) : (otherwise))
#else
typedef JOIN(float, WIDTH) floatv;
typedef JOIN(int, WIDTH) intv;
typedef JOIN(uint, WIDTH) uintv;
typedef JOIN(ushort, WIDTH) ushortv;
#if ALIGNED
typedef floatv unalignedv;
#else
// One unaligned move; PoCL 3.1 makes several of vloadn and vstoren.
typedef floatv __attribute__((aligned(4))) unalignedv;
#endif
#define AS_INT JOIN(as_int, WIDTH)
#define AS_UINT JOIN(as_uint, WIDTH)
#define AS_FLOAT JOIN(as_float, WIDTH)
#define CONVERT_UINT JOIN(convert_uint, WIDTH)
#define CONVERT_USHORT JOIN(convert_ushort, WIDTH)
#define SELECT(otherwise, then, condition) select(otherwise, then, condition)
#endif
#define LOAD(p) (*(__global const unalignedv *)(p))
#define STORE(v, p) (*(__global unalignedv *)(p) = (v))

#if ALIGNED
typedef ushortv unalignedHalves;
#else
typedef ushortv __attribute__((aligned(2))) unalignedHalves;
#endif
#define LOAD_AS(bf16, p) BY_TYPE(load, bf16)(p)
#define STORE_AS(bf16, v, p) BY_TYPE(store, bf16)(v, p)
#define load0(p) LOAD(p)
#define store0(v, p) STORE(v, p)

static inline floatv load1(__global const ushort *p) {
  return AS_FLOAT(CONVERT_UINT(*(__global const unalignedHalves *)p) << 16);
}

static inline void store1(floatv v, __global ushort *p) {
  uintv bits = AS_UINT(v);
  uintv nearest = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
  uintv quiet = bits >> 16 | 0x40u;
  *(__global unalignedHalves *)p = CONVERT_USHORT(SELECT(nearest, quiet, v != v));
}

#define CHOOSE_ONE(otherwise, then, condition) ((condition) ? (then) : (otherwise))

#if ITEMS > 1
// A GPU has an instruction for it.
#define exponentialOfOne(x) exp(x)
#define boundedExponentialOfOne(x) exp(x)
#define exponential(x) exp(x)
#define boundedExponential(x) exp(x)
#else
/**
 * exp(x) to 2 units in the last place (Cephes, expf) for x up to 88, infinity not far beyond; 0 where
 * the result would be denormal; NaN stays NaN. The nearest integer to x / ln 2 comes from adding 1.5
 * times 2^23, which leaves it in the low bits, from where it is shifted into the exponent.
 *
 * `bounded` has the same bits for x up to 88 and nothing of use beyond.
 */
#define DEFINE_EXPONENTIAL(name, bounded, real, AS_INTEGER, AS_REAL, CHOOSE) \
  static inline real bounded(real x) {                                      \
    real shifted = fma(x, (real)(1.44269504f), (real)(12582912.0f));        \
    real n = shifted - 12582912.0f;                                         \
    real r = fma(n, (real)(-0.693359375f), x);                              \
    r = fma(n, (real)(2.12194440e-4f), r);                                  \
    real p = fma((real)(1.9875691500e-4f), r, (real)(1.3981999507e-3f));    \
    p = fma(p, r, (real)(8.3334519073e-3f));                                \
    p = fma(p, r, (real)(4.1665795894e-2f));                                \
    p = fma(p, r, (real)(1.6666665459e-1f));                                \
    p = fma(p, r, (real)(0.5f));                                            \
    p = fma(p, r * r, r + 1.0f);                                            \
    real result = p * AS_REAL((AS_INTEGER(shifted) << 23) + 0x3F800000);    \
    return CHOOSE(result, (real)(0.0f), x < -87.3f);                        \
  }                                                                         \
  static inline real name(real x) {                                         \
    return CHOOSE(bounded(x), (real)(INFINITY), x > 88.3f);                 \
  }

DEFINE_EXPONENTIAL(exponentialOfOne, boundedExponentialOfOne, float, as_int, as_float, CHOOSE_ONE)
DEFINE_EXPONENTIAL(exponential, boundedExponential, floatv, AS_INT, AS_FLOAT, SELECT)
#endif

/** Sum of a vector's lanes, by halves. */
static inline float sumOfLanes(floatv v) {
#if WIDTH == 16
  float8 a = v.lo + v.hi;
  float4 b = a.lo + a.hi;
  return (b.s0 + b.s2) + (b.s1 + b.s3);
#elif WIDTH == 8
  float4 b = v.lo + v.hi;
  return (b.s0 + b.s2) + (b.s1 + b.s3);
#elif WIDTH == 4
  return (v.s0 + v.s2) + (v.s1 + v.s3);
#elif WIDTH == 2
  return v.s0 + v.s1;
#else
  return v;
#endif
}

/** Largest of a vector's lanes; NaN only where all are. */
static inline float largestOfLanes(floatv v) {
#if WIDTH == 16
  float8 a = fmax(v.lo, v.hi);
  float4 b = fmax(a.lo, a.hi);
  return fmax(fmax(b.s0, b.s2), fmax(b.s1, b.s3));
#elif WIDTH == 8
  float4 b = fmax(v.lo, v.hi);
  return fmax(fmax(b.s0, b.s2), fmax(b.s1, b.s3));
#elif WIDTH == 4
  return fmax(fmax(v.s0, v.s2), fmax(v.s1, v.s3));
#elif WIDTH == 2
  return fmax(v.s0, v.s1);
#else
  return v;
#endif
}

/** Makes the items of the group see what the others wrote to global memory. */
static inline void waitForGroup(void) {
#if ITEMS > 1
  barrier(CLK_GLOBAL_MEM_FENCE);
#endif
}

/** The sum over the group's items of their values, by halves; the same in every item. */
static inline float sumOfGroup(float value, __local float *scratch) {
#if ITEMS == 1
  return value;
#else
  int item = get_local_id(0);
  scratch[item] = value;
  for (int stride = ITEMS / 2; stride > 0; stride /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (item < stride) {
      scratch[item] += scratch[item + stride];
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  float sum = scratch[0];
  barrier(CLK_LOCAL_MEM_FENCE);
  return sum;
#endif
}

// Items of a GPU's group that share a column of partial sums, each a run of blocks.
#define SUM_PARTS (ITEMS > 1 ? 8 : 1)
#define SUM_COLUMNS 32

/**
 * The sum of a column's blocks, `stride` apart: of runs of them, then of these, in their order; in the
 * first SUM_COLUMNS items. A group calls it once.
 */
static inline float sumOfBlocks(__global const float *partial, int blocks, long stride,
                                __local float *scratch) {
  int part = get_local_id(0) / SUM_COLUMNS, column = get_local_id(0) % SUM_COLUMNS;
  int run = (blocks + SUM_PARTS - 1) / SUM_PARTS;
  int end = min((part + 1) * run, blocks);
  float sum = 0.0f;
  _Pragma("unroll 16") for (long block = part * run; block < end; block++) {
    sum += partial[block * stride];
  }
#if ITEMS > 1
  scratch[get_local_id(0)] = sum;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int other = 1; part == 0 && other < SUM_PARTS; other++) {
    sum += scratch[other * SUM_COLUMNS + column];
  }
#endif
  return sum;
}

/** As sumOfGroup, the largest. */
static inline float largestOfGroup(float value, __local float *scratch) {
#if ITEMS == 1
  return value;
#else
  int item = get_local_id(0);
  scratch[item] = value;
  for (int stride = ITEMS / 2; stride > 0; stride /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (item < stride) {
      scratch[item] = fmax(scratch[item], scratch[item + stride]);
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  float largest = scratch[0];
  barrier(CLK_LOCAL_MEM_FENCE);
  return largest;
#endif
}
