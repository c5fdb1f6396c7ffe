// What attention.cl and attention_amx.cl share: the numbers of lanes, and sums to begin with.

// The numbers 0, 1, ... of a vector's lanes.
intV lane_numbers() {
  int numbers[VW];
  UNROLL for (int lane = 0; lane < VW; lane++) numbers[lane] = lane;
  return PASTE(vload, VW)(0, numbers);
}

void clear(local float *sums) {
  for (int at = 0; at < DP * LANES; at += VW) STORE(local, sums + at, (floatV)(0.0f));
}

void clear_rows(global float *x, ulong stride, int count) {
  for (int row = 0; row < count; row++, x += stride)
    for (int d = 0; d < D; d++) x[d] = 0.0f;
}
