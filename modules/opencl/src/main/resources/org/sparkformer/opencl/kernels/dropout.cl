// Dropout for kernels with one element an item at a time. INLINE as in the file that includes this,
// arguments as in dropout_arguments.cl.

// What a kept element is multiplied with, 0 for a dropped one: Philox4x32-10 (Salmon et al.,
// SC 2011) of an element; see the operation for the counter's layout.
INLINE float keep_factor(ulong element, DROPOUT_PARAMETERS) {
  ulong e = first_element + element;
  uint4 c = (uint4)((uint)(e >> 2), (uint)(e >> 34), site, step);
  uint k0 = seed_low, k1 = seed_high;
  for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
    c = (uint4)(mul_hi(c.s2, 0xCD9E8D57u) ^ c.s1 ^ k0, c.s2 * 0xCD9E8D57u,
                mul_hi(c.s0, 0xD2511F53u) ^ c.s3 ^ k1, c.s0 * 0xD2511F53u);
  uint word = e & 2 ? (e & 1 ? c.s3 : c.s2) : (e & 1 ? c.s1 : c.s0);
  return word >= (uint)threshold ? keep_scale : 0.0f;
}
