// Dropout of attention's probabilities, for kernels with an element in each lane of a vector.

#define LOW 0xFFFFFFFFul
#define ulongV PASTE(ulong, VW)
#define uintV PASTE(uint, VW)
#define convert_uintV PASTE(convert_uint, VW)

// What a kept probability is multiplied with, 0 for a dropped one: Philox4x32-10 (Salmon et al.,
// SC 2011) of the elements first, first + between, ... The counter's 32-bit words sit in 64-bit
// lanes, whose upper halves are ignored: one product gives both halves that a round needs.
floatV keep_factor(ulong first, ulong between, DROPOUT_PARAMETERS) {
  ulong numbers[VW];
  UNROLL for (int lane = 0; lane < VW; lane++)
      numbers[lane] = first_element + first + lane * between;
  ulongV e = PASTE(vload, VW)(0, numbers);
  ulongV c0 = e >> 2, c1 = e >> 34, c2 = (ulongV)((uint)site), c3 = (ulongV)((uint)step);
  uint k0 = seed_low, k1 = seed_high;
  for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    ulongV product0 = (c0 & LOW) * 0xD2511F53ul, product1 = (c2 & LOW) * 0xCD9E8D57ul;
    c0 = (product1 >> 32) ^ c1 ^ (ulong)k0;
    c2 = (product0 >> 32) ^ c3 ^ (ulong)k1;
    c1 = product1;
    c3 = product0;
  }
  ulongV pair = (e & 2ul) == 0ul ? ((e & 1ul) == 0ul ? c0 : c1) : ((e & 1ul) == 0ul ? c2 : c3);
  return convert_uintV(pair & LOW) >= (uintV)((uint)threshold) ? (floatV)(keep_scale)
                                                               : (floatV)(0.0f);
}
