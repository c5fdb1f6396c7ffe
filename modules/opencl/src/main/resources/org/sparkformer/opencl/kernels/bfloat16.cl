// Operands of products rounded to bf16, as elements.cl does; the sums are fp32. Needs vector.cl.

// An fp32 of the value of the nearest bf16.
float rounded(float x) { return value1(element_of1(x)); }

floatV rounded_all(floatV x) {
  UNROLL for (int i = 0; i < VW; i++) x[i] = rounded(x[i]);
  return x;
}

#if PAIRS
// Two bf16 in a 32-bit word, the first in the lower half. With AVX512_BF16 its instructions are called
// by name: PoCL's compiler takes x86 processors for ones without. Without it, what they do stands in
// OpenCL C, so that kernels can be tested anywhere.
#ifndef AVX512_BF16
#define AVX512_BF16 0
#endif
typedef PASTE(uint, VW) uintV;
typedef uintV __attribute__((aligned(4))) unaligned_uintV;
#define as_uintV PASTE(as_uint, VW)

// Pairs (x[i], y[i]).
uintV pairs_across(floatV x, floatV y) {
#if AVX512_BF16
  PASTE(ushort, VW) first, second;
  __asm__("vcvtneps2bf16 %1, %0" : "=v"(first) : "v"(x));
  __asm__("vcvtneps2bf16 %1, %0" : "=v"(second) : "v"(y));
  return PASTE(convert_uint, VW)(first) | PASTE(convert_uint, VW)(second) << 16;
#else
  return as_uintV(rounded_all(x)) >> 16 | as_uintV(rounded_all(y));
#endif
}

// The pairs of 2 VW elements in a row, of which x holds the first half.
uintV pairs_along(floatV x, floatV y) {
#if AVX512_BF16
  uintV pairs;
  __asm__("vcvtne2ps2bf16 %1, %2, %0" : "=v"(pairs) : "v"(x), "v"(y));
  return pairs;
#else
  floatV first, second;
  first.lo = x.even;
  first.hi = y.even;
  second.lo = x.odd;
  second.hi = y.odd;
  return pairs_across(first, second);
#endif
}

// c[i] + the inner product of pair a and pair b[i].
floatV dot_pairs(uint a, uintV b, floatV c) {
#if AVX512_BF16
  __asm__("vdpbf16ps %2, %1, %0" : "+v"(c) : "v"(b), "v"((uintV)(a)));
  return c;
#else
  c = fma((floatV)(as_float(a & 0xffff0000u)), as_floatV(b & 0xffff0000u), c);
  return fma((floatV)(as_float(a << 16)), as_floatV(b << 16), c);
#endif
}
#endif
