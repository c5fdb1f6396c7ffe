// From rows in global memory to panels of parts.cl. Included for each type of element, with BF16 0 or 1:
// its functions carry that in their names.

// Words of which parts are made: with PARTS 1 those of a register's row, else pairs of fp32. Of up to 16
// lanes at two steps, or of up to 32 steps of a lane: the former where steps lie across the rows of
// memory, the latter where they lie along them.
void BY_TYPE(load_row, BF16)(const global ELEMENT(BF16) *source, ulong stride, int across, int lanes,
                             int depth, row_t *row) {
  if (across) {
    *row = row_across(LOAD_UP_TO_AS(BF16, source, depth > 0 ? lanes : 0),
                      LOAD_UP_TO_AS(BF16, source + stride, depth > 1 ? lanes : 0));
    return;
  }
#if BF16 && PARTS == 1
  if (lanes > 0 && depth >= DEPTH) {
    typedef uintV __attribute__((aligned(2))) words_of_halves;
    *row = *(const global words_of_halves *)source;
    return;
  }
#endif
  *row = row_along(LOAD_UP_TO_AS(BF16, source, lanes > 0 ? depth : 0),
                   LOAD_UP_TO_AS(BF16, source + VW, lanes > 0 ? depth - VW : 0));
}

// Goes along the rows of memory. `turned`: whether these lie across the rows of registers, of which
// then 16 are made at a time. `panel`: words from a panel to the next.
INLINE void BY_TYPE(copy_panels, BF16)(const global ELEMENT(BF16) *source, ulong stride, int across,
                                       int turned, int lanes, int depth, ulong panels, ulong panel) {
  int all_lanes = (lanes + 2 * VW - 1) / (2 * VW) * 2 * VW;
  int all_depth = (depth + DEPTH - 1) / DEPTH * DEPTH;
  int rows = turned ? VW : 1;
  int inner_size = across ? all_lanes : depth, inner_step = across ? VW : DEPTH;
  int outer_size = across ? all_depth : all_lanes, outer_step = across ? 2 * rows : rows;
  for (int outer = 0; outer < outer_size; outer += outer_step)
    for (int inner = 0; inner < inner_size; inner += inner_step) {
      int lane = across ? inner : outer, k = across ? outer : inner;
      const global ELEMENT(BF16) *from = source + outer * stride + inner;
      row_t row[VW];
      for (int i = 0; i < rows; i++, from += (across ? 2 : 1) * stride)
        BY_TYPE(load_row, BF16)(from, stride, across, lanes - lane - (across ? 0 : i),
                                depth - k - (across ? 2 * i : 0), row + i);
      if (turned) turn(row);
      ulong at = lane / (2 * VW) * panel + k / DEPTH * SQUARE + lane / VW % 2 * REGISTER +
                 (across ? k / 2 % VW : lane % VW) * VW;
      ulong target = panels + at * sizeof(uint);
      UNROLL for (int part = 0; part < PARTS; part++, target += PART * sizeof(uint))
        UNROLL for (int i = 0; i < rows; i++)
          ((private uintV *)target)[i] = next_part(part, row + i);
    }
}
