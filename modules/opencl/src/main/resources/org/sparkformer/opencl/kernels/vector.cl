// Vectors of the device's own width, for kernels in which one work-item drives a whole vector unit.
//
// VW: fp32 elements of a vector: 16 (AVX-512), 8 (AVX), 4 (SSE, NEON).

#ifndef VW
#define VW 16
#endif

#define PASTE_NOW(a, b) a##b
#define PASTE(a, b) PASTE_NOW(a, b)
#define floatV PASTE(float, VW)
#define intV PASTE(int, VW)
#define as_floatV PASTE(as_float, VW)
#define as_intV PASTE(as_int, VW)

// One unaligned move; vloadn and vstoren become several under PoCL.
typedef floatV __attribute__((aligned(4))) unalignedV;
#define LOAD(space, p) (*(const space unalignedV *)(p))
#define STORE(space, p, value) (*(space unalignedV *)(p) = (value))

#define UNROLL _Pragma("unroll")

#include "prefetch.cl"

// The first count elements, the rest 0.
floatV load_part(const global float *source, int count) {
  float values[VW];
  STORE(private, values, (floatV)(0.0f));
  for (int i = 0; i < count; i++) values[i] = source[i];
  return LOAD(private, values);
}

void store_part(global float *target, floatV value, int count) {
  float values[VW];
  STORE(private, values, value);
  for (int i = 0; i < count; i++) target[i] = values[i];
}

floatV load_up_to(const global float *source, int count) {
  return count >= VW ? LOAD(global, source) : load_part(source, count);
}

// VW x VW transpose by log2(VW) perfect shuffles of its rows.
void transpose_square(floatV *row) {
  UNROLL for (int pass = 1; pass < VW; pass *= 2) {
    floatV shuffled[VW];
    UNROLL for (int i = 0; i < VW / 2; i++) {
      shuffled[2 * i].even = row[i].lo;
      shuffled[2 * i].odd = row[i + VW / 2].lo;
      shuffled[2 * i + 1].even = row[i].hi;
      shuffled[2 * i + 1].odd = row[i + VW / 2].hi;
    }
    UNROLL for (int i = 0; i < VW; i++) row[i] = shuffled[i];
  }
}

// exp(x) to 2 units in the last place on [-87.3, 88], 0 below, constant above; NaN stays NaN. Range
// reduction to |r| <= ln(2) / 2 and a polynomial: Cephes, expf.
floatV exponential(floatV x) {
  x = x < -88.0f ? (floatV)(-88.0f) : x;
  x = x > 88.0f ? (floatV)(88.0f) : x;
  // 1.5 times 2^23 leaves no bits below the point: rint() costs PoCL twenty instructions.
  floatV shifted = fma(x, (floatV)(1.44269504f), (floatV)(12582912.0f));
  floatV n = shifted - 12582912.0f;
  floatV r = fma(n, (floatV)(-0.693359375f), x);
  r = fma(n, (floatV)(2.12194440e-4f), r);
  floatV p = (floatV)(1.9875691500e-4f);
  p = fma(p, r, (floatV)(1.3981999507e-3f));
  p = fma(p, r, (floatV)(8.3334519073e-3f));
  p = fma(p, r, (floatV)(4.1665795894e-2f));
  p = fma(p, r, (floatV)(1.6666665459e-1f));
  p = fma(p, r, (floatV)(0.5f));
  p = fma(p, r * r, r + 1.0f);
  return p * as_floatV((as_intV(shifted) + 127) << 23);
}
