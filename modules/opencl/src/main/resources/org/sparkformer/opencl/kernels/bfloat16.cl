// Operands of products rounded to bf16, as elements.cl does; the sums are fp32. Needs vector.cl.

#if PAIRS
// Two bf16 in a 32-bit word, the first in the lower half. For x86 processors with AVX512_BF16, whose
// instructions are called by name: PoCL's compiler takes them for a processor without.
typedef PASTE(uint, VW) uintV;
typedef uintV __attribute__((aligned(4))) unaligned_uintV;

// The pairs of 2 VW elements in a row, of which x holds the first half.
uintV pairs_along(floatV x, floatV y) {
  uintV pairs;
  __asm__("vcvtne2ps2bf16 %1, %2, %0" : "=v"(pairs) : "v"(x), "v"(y));
  return pairs;
}

// Pairs (x[i], y[i]).
uintV pairs_across(floatV x, floatV y) {
  PASTE(ushort, VW) first, second;
  __asm__("vcvtneps2bf16 %1, %0" : "=v"(first) : "v"(x));
  __asm__("vcvtneps2bf16 %1, %0" : "=v"(second) : "v"(y));
  return PASTE(convert_uint, VW)(first) | PASTE(convert_uint, VW)(second) << 16;
}

// c[i] + the inner product of pair a and pair b[i].
floatV dot_pairs(uint a, uintV b, floatV c) {
  __asm__("vdpbf16ps %2, %1, %0" : "+v"(c) : "v"(b), "v"((uintV)(a)));
  return c;
}
#endif

// An fp32 of the value of the nearest bf16.
float rounded(float x) { return value1(element_of1(x)); }

floatV rounded_all(floatV x) {
  UNROLL for (int i = 0; i < VW; i++) x[i] = rounded(x[i]);
  return x;
}
