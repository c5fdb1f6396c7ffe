// Vectors of WIDTH floats, whatever WIDTH is, and reductions of a work-group.
//
// Tensors arrive as a buffer and the number of their first element in it: `__global float *x,
// long xFirst`. They may start at any element, so vectors are loaded and stored without alignment.
//
// ITEMS work-items make up a group, always: results must not depend on the device's size. A CPU
// has one item a group, which runs over whole rows; a GPU has many, which share a row.

#ifndef WIDTH
#define WIDTH 16 // floats of a vector: 1, 2, 4, 8 or 16
#endif
#ifndef ITEMS
#define ITEMS 1 // work-items of a group, a power of two
#endif

#define JOIN_EXPANDED(a, b) a##b
#define JOIN(a, b) JOIN_EXPANDED(a, b)

#if WIDTH == 1
typedef float floatv;
#define LOAD(p) (*(p))
#define STORE(v, p) (*(p) = (v))
#else
typedef JOIN(float, WIDTH) floatv;
#define LOAD(p) JOIN(vload, WIDTH)(0, p)
#define STORE(v, p) JOIN(vstore, WIDTH)(v, 0, p)
#endif

/** Sum of a vector's lanes, by halves. */
inline float sumOfLanes(floatv v) {
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
inline float largestOfLanes(floatv v) {
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
inline void waitForGroup(void) {
#if ITEMS > 1
  barrier(CLK_GLOBAL_MEM_FENCE);
#endif
}

/** The sum over the group's items of their values, by halves; the same in every item. */
inline float sumOfGroup(float value, __local float *scratch) {
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

/** As sumOfGroup, the largest. */
inline float largestOfGroup(float value, __local float *scratch) {
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
