// Sums over rows that the gradients of attention need.

// delta[row] = sum over d of dy y, for rows of [B, heads, Tq]; a group takes a head's every query.
kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void attention_delta(const global ELEMENT(Y_BF16) *y, long y_first, const global float *dy,
                     long dy_first, global float *delta, long delta_first, int queries) {
  int h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2);
  ulong at = (b * queries * heads + h) * D;
  y += y_first + at;
  dy += dy_first + at;
  delta += delta_first + (b * heads + h) * queries;
  for (int i = 0; i < queries; i++, y += heads * D, dy += heads * D) {
    floatV sums = (floatV)(0.0f);
    int d = 0;
    for (; d + VW <= D; d += VW) sums = fma(LOAD_AS(Y_BF16, y + d), LOAD(global, dy + d), sums);
    float lanes[VW], sum = 0.0f;
    STORE(private, lanes, sums);
    for (; d < D; d++) sum += VALUE(Y_BF16, y[d]) * dy[d];
    for (int lane = 0; lane < VW; lane++) sum += lanes[lane];
    delta[i] = sum;
  }
}
