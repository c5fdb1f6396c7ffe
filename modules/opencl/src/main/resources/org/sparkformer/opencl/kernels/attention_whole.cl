// dq in the kernel of attention.cl that owns a head's every key: rows in global memory, to which each
// tile of keys adds.

// The vectors of D elements that one pass over dq takes, and D in whole passes.
#define PASS 2
#define DW ((D + PASS * VW - 1) / (PASS * VW) * (PASS * VW))

// dq[r][d] += sum over lane of slopes[r][lane] keys[lane][d], for count rows of D elements.
void add_to_queries(const local float *slopes, const local float *keys, int lanes, int count,
                    ulong stride, global float *dq) {
  for (int r = 0; r < count; r += TILE)
    for (int d = 0; d < D; d += PASS * VW) {
      floatV sum[TILE][PASS];
      EACH_ROW UNROLL for (int n = 0; n < PASS; n++) {
        int here = r + i < count ? D - d - n * VW : 0;
        sum[i][n] = load_up_to(dq + (r + i) * stride + d + n * VW, max(here, 0));
      }
      for (int lane = 0; lane < lanes; lane++) {
        floatV x[PASS];
        UNROLL for (int n = 0; n < PASS; n++) x[n] = LOAD(local, keys + lane * DW + d + n * VW);
        EACH_ROW UNROLL for (int n = 0; n < PASS; n++)
            sum[i][n] = fma((floatV)(slopes[(r + i) * LANES + lane]), x[n], sum[i][n]);
      }
      EACH_ROW UNROLL for (int n = 0; n < PASS; n++) {
        int here = r + i < count ? clamp(D - d - n * VW, 0, VW) : 0;
        global float *target = dq + (r + i) * stride + d + n * VW;
        if (here == VW) STORE(global, target, sum[i][n]);
        else store_part(target, sum[i][n], here);
      }
    }
}

// x = x factor, for count rows of D elements.
void scale_rows(global float *x, ulong stride, int count, float factor) {
  for (int row = 0; row < count; row++, x += stride) {
    int d = 0;
    for (; d + VW <= D; d += VW) STORE(global, x + d, LOAD(global, x + d) * factor);
    for (; d < D; d++) x[d] *= factor;
  }
}
