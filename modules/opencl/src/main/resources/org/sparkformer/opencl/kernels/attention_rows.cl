// Rows of D elements between global memory and attention.cl's local memory, where they are fp32.
// Included for each type of element, with BF16 0 or 1: its functions carry that in their names.

// count rows of D elements to the lanes of [DP][LANES], times factor, 0 elsewhere.
WIDE
void BY_TYPE(rows_to_lanes, BF16)(const global ELEMENT(BF16) *source, ulong stride, int count,
                                  float factor, local float *lanes) {
  for (int lane = 0; lane < LANES; lane += VW) {
    int here = min(VW, count - lane), d = 0;
    for (; here == VW && d + VW <= D; d += VW) {
      floatV square[VW];
      UNROLL for (int i = 0; i < VW; i++) square[i] =
          LOAD_AS(BF16, source + (lane + i) * stride + d);
      transpose_square(square);
      UNROLL for (int i = 0; i < VW; i++)
          STORE(local, lanes + (d + i) * LANES + lane, square[i] * factor);
    }
    for (; d < DP; d++)
      for (int i = 0; i < VW; i++)
        lanes[d * LANES + lane + i] =
            i < here && d < D ? VALUE(BF16, source[(lane + i) * stride + d]) * factor : 0.0f;
  }
}

// The way back, for the first count lanes.
WIDE
void BY_TYPE(lanes_to_rows, BF16)(const local float *lanes, global ELEMENT(BF16) *target,
                                  ulong stride, int count) {
  for (int lane = 0; lane < count; lane += VW) {
    int here = min(VW, count - lane), d = 0;
    for (; here == VW && d + VW <= D; d += VW) {
      floatV square[VW];
      UNROLL for (int i = 0; i < VW; i++) square[i] = LOAD(local, lanes + (d + i) * LANES + lane);
      transpose_square(square);
      UNROLL for (int i = 0; i < VW; i++)
          STORE_AS(BF16, target + (lane + i) * stride + d, square[i]);
    }
    for (; d < D; d++)
      for (int i = 0; i < here; i++)
        target[(lane + i) * stride + d] = ELEMENT_OF(BF16, lanes[d * LANES + lane + i]);
  }
}

// count rows of D elements, times factor, to [padded][width], 0 elsewhere.
void BY_TYPE(copy_rows, BF16)(const global ELEMENT(BF16) *source, ulong stride, int count,
                              float factor, int padded, int width, local float *rows) {
  for (int row = 0; row < padded; row++) {
    int d = 0;
    for (; row < count && d + VW <= D; d += VW)
      STORE(local, rows + row * width + d, LOAD_AS(BF16, source + row * stride + d) * factor);
    for (; d < width; d++)
      rows[row * width + d] =
          row < count && d < D ? VALUE(BF16, source[row * stride + d]) * factor : 0.0f;
  }
}
