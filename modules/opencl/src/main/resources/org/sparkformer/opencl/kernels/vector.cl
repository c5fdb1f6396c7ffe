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

#include "elements.cl"
#include "prefetch.cl"

// Before a function on vectors that has none for an argument and calls nothing that has: without it
// LLVM takes halves of what AVX-512 has, and many more instructions.
#ifdef __has_attribute
#if __has_attribute(min_vector_width)
#define WIDE __attribute__((min_vector_width(32 * VW)))
#endif
#endif
#ifndef WIDE
#define WIDE
#endif

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

// The same of elements in global memory that are fp32 or bf16, by a macro as in elements.cl.
#define LOAD_AS(bf16, p) BY_TYPE(load, bf16)(p)
#define LOAD_UP_TO_AS(bf16, p, count) BY_TYPE(load_up_to, bf16)(p, count)
#define STORE_AS(bf16, p, value) BY_TYPE(store, bf16)(p, value)
#define STORE_UP_TO_AS(bf16, p, value, count) BY_TYPE(store_up_to, bf16)(p, value, count)
#define load0(p) LOAD(global, p)
#define load_up_to0(p, count) load_up_to(p, count)
#define store0(p, value) STORE(global, p, value)

typedef PASTE(ushort, VW) __attribute__((aligned(2))) unaligned_halves;

floatV load1(const global ushort *p) {
  return as_floatV(PASTE(convert_uint, VW)(*(const global unaligned_halves *)p) << 16);
}

floatV load_up_to1(const global ushort *source, int count) {
  if (count >= VW) return load1(source);
  float values[VW];
  STORE(private, values, (floatV)(0.0f));
  for (int i = 0; i < count; i++) values[i] = value1(source[i]);
  return LOAD(private, values);
}

void store_up_to0(global float *target, floatV value, int count) {
  if (count >= VW)
    STORE(global, target, value);
  else
    store_part(target, value, count);
}

void store1(global ushort *target, floatV value) {
  PASTE(uint, VW) bits = PASTE(as_uint, VW)(value);
  PASTE(uint, VW) nearest = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
  PASTE(uint, VW) quiet = bits >> 16 | 0x40u;
  *(global unaligned_halves *)target =
      PASTE(convert_ushort, VW)(select(nearest, quiet, value != value));
}

void store_up_to1(global ushort *target, floatV value, int count) {
  if (count >= VW) {
    store1(target, value);
    return;
  }
  float values[VW];
  STORE(private, values, value);
  for (int i = 0; i < count; i++) target[i] = element_of1(values[i]);
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
