// Layer normalisation (Ba et al., arXiv:1607.06450, equation 4) of rows of C elements, row-major.
//
//   layerNormForward          sum = x + branch (where there is a branch, else sum is x); with DROPOUT
//                             of what dropout of the branch gives
//                             y = (sum - mean) rstd weight + bias,  rstd = 1 / sqrt(variance + epsilon)
//                             x, branch, sum, y [rows, C]; weight, bias [C]; mean, rstd [rows];
//                             y is bf16 where Y_BF16 is 1
//   layerNormBackward         n = (x - mean) rstd, g = dy weight
//                             dx = rstd (g - mean(g) - n mean(g n)) + dSum (where there is one)
//                             dx may be dSum; with DROPOUT dBranch is what dropout of dx gives
//   layerNormWeightPartials   partial[b, 0, c] = sum over rows of block b of dy n
//                             partial[b, 1, c] = sum over rows of block b of dy
//   layerNormWeightBackward   dWeight[c] += sum over b of partial[b, 0, c], dBias[c] likewise
//
// All overwrite their outputs but the last, which adds to them. A group works on ROWS rows; mean and
// variance in two passes over a row that the first pass brought into the cache. The weights'
// gradients take two stages over fixed blocks of ROW_BLOCK rows, so that they do not depend on how
// many groups run at once.

#include "common.cl"

#ifndef DROPOUT
#define DROPOUT 0
#endif
#if DROPOUT
#include "dropout_range.cl"
#endif
#ifndef Y_BF16
#define Y_BF16 0
#endif
#ifndef DY_BF16
#define DY_BF16 0
#endif
#ifndef ROWS
#define ROWS 8 // rows of a group
#endif
#ifndef ROW_BLOCK
#define ROW_BLOCK 64 // rows of a partial sum
#endif
#define ROWS_OF_GROUP                           \
  long rowStart = (long)get_group_id(0) * ROWS; \
  long rowEnd = min(rowStart + ROWS, (long)rows)
#define ALL_ROWS for (long row = rowStart; row < rowEnd; row++)

/** This item's part of a row: whole vectors, then single elements of the tail. */
#define FOR_COLUMNS(vector, scalar)                                        \
  {                                                                        \
    int item = get_local_id(0);                                            \
    int c = item * WIDTH;                                                  \
    for (; c + WIDTH <= columns; c += ITEMS * WIDTH) {                     \
      vector;                                                              \
    }                                                                      \
    for (c = columns / WIDTH * WIDTH + item; c < columns; c += ITEMS) {    \
      scalar;                                                              \
    }                                                                      \
  }

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void layerNormForward(
    __global const float *x, long xFirst, __global const float *branch, long branchFirst,
    __global float *sum, long sumFirst, __global const float *weight, long weightFirst,
    __global const float *bias, long biasFirst, __global ELEMENT(Y_BF16) *y, long yFirst,
    __global float *mean, long meanFirst, __global float *rstd, long rstdFirst, int rows,
    int columns, float epsilon, int branchPresent
#if DROPOUT
    , DROPOUT_PARAMETERS
#endif
) {
  __local float scratch[ITEMS];
  weight += weightFirst;
  bias += biasFirst;
  ROWS_OF_GROUP;
#if DROPOUT
  // All rows at once: the words of a step may be more than a row has elements.
  dropRange(branch + branchFirst, x + xFirst, sum + sumFirst, rowStart * columns, rowEnd * columns,
            DROPOUT_ARGUMENTS);
  waitForGroup();
  x = sum;
  xFirst = sumFirst;
  branchPresent = 0;
#endif
  ALL_ROWS {
    __global const float *in = x + xFirst + row * columns;
    __global ELEMENT(Y_BF16) *out = y + yFirst + row * columns;
    floatv total = 0.0f;
    float totalOfTail = 0.0f;
    if (branchPresent) {
      __global const float *added = branch + branchFirst + row * columns;
      __global float *kept = sum + sumFirst + row * columns;
      FOR_COLUMNS({
        floatv v = LOAD(in + c) + LOAD(added + c);
        STORE(v, kept + c);
        total += v;
      }, {
        kept[c] = in[c] + added[c];
        totalOfTail += kept[c];
      })
      in = kept;
    } else {
      FOR_COLUMNS(total += LOAD(in + c), totalOfTail += in[c])
    }
    float m = sumOfGroup(sumOfLanes(total) + totalOfTail, scratch) / columns;
    floatv squares = 0.0f;
    float squaresOfTail = 0.0f;
    FOR_COLUMNS({
      floatv d = LOAD(in + c) - m;
      squares = fma(d, d, squares);
    }, squaresOfTail = fma(in[c] - m, in[c] - m, squaresOfTail))
    float variance = sumOfGroup(sumOfLanes(squares) + squaresOfTail, scratch) / columns;
    float r = 1.0f / sqrt(variance + epsilon);
    FOR_COLUMNS(
        STORE_AS(Y_BF16, fma((LOAD(in + c) - m) * r, LOAD(weight + c), LOAD(bias + c)), out + c),
        out[c] = ELEMENT_OF(Y_BF16, fma((in[c] - m) * r, weight[c], bias[c])))
    if (get_local_id(0) == 0) {
      mean[meanFirst + row] = m;
      rstd[rstdFirst + row] = r;
    }
  }
}

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void layerNormBackward(
    __global const ELEMENT(DY_BF16) *dy, long dyFirst, __global const float *x, long xFirst,
    __global const float *weight, long weightFirst, __global const float *mean, long meanFirst,
    __global const float *rstd, long rstdFirst, __global const float *dSum, long dSumFirst,
    __global float *dx, long dxFirst, int rows, int columns, int dSumPresent
#if DROPOUT
    , __global float *dBranch, long dBranchFirst, DROPOUT_PARAMETERS
#endif
) {
  __local float scratch[ITEMS];
  weight += weightFirst;
  ROWS_OF_GROUP;
  ALL_ROWS {
    __global const ELEMENT(DY_BF16) *d = dy + dyFirst + row * columns;
    __global const float *in = x + xFirst + row * columns;
    __global float *out = dx + dxFirst + row * columns;
    float m = mean[meanFirst + row];
    float r = rstd[rstdFirst + row];
    floatv sumG = 0.0f;
    floatv sumGN = 0.0f;
    float sumGOfTail = 0.0f;
    float sumGNOfTail = 0.0f;
    FOR_COLUMNS({
      floatv g = LOAD_AS(DY_BF16, d + c) * LOAD(weight + c);
      sumG += g;
      sumGN = fma(g, (LOAD(in + c) - m) * r, sumGN);
    }, {
      float g = VALUE(DY_BF16, d[c]) * weight[c];
      sumGOfTail += g;
      sumGNOfTail = fma(g, (in[c] - m) * r, sumGNOfTail);
    })
    float meanG = sumOfGroup(sumOfLanes(sumG) + sumGOfTail, scratch) / columns;
    float meanGN = sumOfGroup(sumOfLanes(sumGN) + sumGNOfTail, scratch) / columns;
    if (dSumPresent) {
      __global const float *past = dSum + dSumFirst + row * columns;
      FOR_COLUMNS({
        floatv n = (LOAD(in + c) - m) * r;
        floatv g = fma(LOAD_AS(DY_BF16, d + c), LOAD(weight + c), (floatv)(-meanG)) - n * meanGN;
        STORE(fma(g, (floatv)(r), LOAD(past + c)), out + c);
      }, {
        float n = (in[c] - m) * r;
        out[c] = fma(fma(VALUE(DY_BF16, d[c]), weight[c], -meanG) - n * meanGN, r, past[c]);
      })
    } else {
      FOR_COLUMNS({
        floatv n = (LOAD(in + c) - m) * r;
        STORE((fma(LOAD_AS(DY_BF16, d + c), LOAD(weight + c), (floatv)(-meanG)) - n * meanGN) * r, out + c);
      }, {
        float n = (in[c] - m) * r;
        out[c] = (fma(VALUE(DY_BF16, d[c]), weight[c], -meanG) - n * meanGN) * r;
      })
    }
#if DROPOUT
    // Row by row, from the first cache, which for processors is worth more than whole steps of words.
    waitForGroup();
    dropRange(dx + dxFirst, 0, dBranch + dBranchFirst, row * columns, (row + 1) * columns,
              DROPOUT_ARGUMENTS);
#endif
  }
}

#define NORMALISED(r, at) ((LOAD(in + (r) * (long)columns + (at)) - m[r]) * s[r])

/** Adds four rows to the partial sums, or sets them where the rows are the block's first. */
static inline void addFourRows(__global const ELEMENT(DY_BF16) *d, __global const float *in,
                        __global const float *m, __global const float *s,
                        __global float *weightOut, __global float *biasOut, int columns,
                        bool first) {
  long stride = columns;
  FOR_COLUMNS({
    floatv g0 = LOAD_AS(DY_BF16, d + c);
    floatv g1 = LOAD_AS(DY_BF16, d + stride + c);
    floatv g2 = LOAD_AS(DY_BF16, d + 2 * stride + c);
    floatv g3 = LOAD_AS(DY_BF16, d + 3 * stride + c);
    floatv sum = first ? (floatv)(0.0f) : LOAD(weightOut + c);
    sum = fma(g0, NORMALISED(0, c), sum);
    sum = fma(g1, NORMALISED(1, c), sum);
    sum = fma(g2, NORMALISED(2, c), sum);
    STORE(fma(g3, NORMALISED(3, c), sum), weightOut + c);
    sum = first ? (floatv)(0.0f) : LOAD(biasOut + c);
    STORE((((sum + g0) + g1) + g2) + g3, biasOut + c);
  }, {
    float weightSum = first ? 0.0f : weightOut[c];
    float biasSum = first ? 0.0f : biasOut[c];
    for (int r = 0; r < 4; r++) {
      float g = VALUE(DY_BF16, d[r * stride + c]);
      weightSum = fma(g, (in[r * stride + c] - m[r]) * s[r], weightSum);
      biasSum += g;
    }
    weightOut[c] = weightSum;
    biasOut[c] = biasSum;
  })
}

/** As addFourRows, one row. */
static inline void addRow(__global const ELEMENT(DY_BF16) *d, __global const float *in, float m, float s,
                   __global float *weightOut, __global float *biasOut, int columns, bool first) {
  FOR_COLUMNS({
    floatv g = LOAD_AS(DY_BF16, d + c);
    floatv sum = first ? (floatv)(0.0f) : LOAD(weightOut + c);
    STORE(fma(g, (LOAD(in + c) - m) * s, sum), weightOut + c);
    sum = first ? (floatv)(0.0f) : LOAD(biasOut + c);
    STORE(sum + g, biasOut + c);
  }, {
    float g = VALUE(DY_BF16, d[c]);
    weightOut[c] = fma(g, (in[c] - m) * s, first ? 0.0f : weightOut[c]);
    biasOut[c] = first ? g : biasOut[c] + g;
  })
}

/** A vector of columns of `count` rows in their order, with several rows on their way at once. */
static inline void addColumns(__global const ELEMENT(DY_BF16) *d, __global const float *in,
                              __global const float *m, __global const float *s,
                              __global float *weightOut, __global float *biasOut, int columns,
                              int count) {
  long stride = columns;
  int c = (get_group_id(1) * ITEMS + get_local_id(0)) * WIDTH;
  if (c + WIDTH <= columns) {
    floatv weightSum = 0.0f, biasSum = 0.0f;
    _Pragma("unroll 4") for (int r = 0; r < count; r++) {
      floatv g = LOAD_AS(DY_BF16, d + r * stride + c);
      weightSum = fma(g, NORMALISED(r, c), weightSum);
      biasSum += g;
    }
    STORE(weightSum, weightOut + c);
    STORE(biasSum, biasOut + c);
    return;
  }
  for (; c < columns; c++) {
    float weightSum = 0.0f, biasSum = 0.0f;
    for (int r = 0; r < count; r++) {
      float g = VALUE(DY_BF16, d[r * stride + c]);
      weightSum = fma(g, (in[r * stride + c] - m[r]) * s[r], weightSum);
      biasSum += g;
    }
    weightOut[c] = weightSum;
    biasOut[c] = biasSum;
  }
}

/**
 * Group b: the rows of block b, in their order. Of processors, along whole rows; of others, group c
 * of axis 1 has a vector of columns an item.
 */
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void layerNormWeightPartials(
    __global const ELEMENT(DY_BF16) *dy, long dyFirst, __global const float *x, long xFirst,
    __global const float *mean, long meanFirst, __global const float *rstd, long rstdFirst,
    __global float *partial, long partialFirst, int rows, int columns) {
  long block = get_group_id(0);
  long start = block * ROW_BLOCK;
  long end = min(start + ROW_BLOCK, (long)rows);
  __global float *weightOut = partial + partialFirst + 2 * block * columns;
  __global float *biasOut = weightOut + columns;
  dy += dyFirst;
  x += xFirst;
  mean += meanFirst;
  rstd += rstdFirst;
#if ITEMS > 1
  addColumns(dy + start * columns, x + start * columns, mean + start, rstd + start, weightOut,
             biasOut, columns, end - start);
#else
  long row = start;
  for (; row + 4 <= end; row += 4) {
    addFourRows(dy + row * columns, x + row * columns, mean + row, rstd + row, weightOut, biasOut,
                columns, row == start);
  }
  for (; row < end; row++) {
    addRow(dy + row * columns, x + row * columns, mean[row], rstd[row], weightOut, biasOut,
           columns, row == start);
  }
#endif
}

/** A group SUM_COLUMNS columns, those of the weight and behind them those of the bias. */
__kernel
__attribute__((reqd_work_group_size(SUM_COLUMNS * SUM_PARTS, 1, 1))) void layerNormWeightBackward(
    __global const float *partial, long partialFirst, __global float *dWeight, long dWeightFirst,
    __global float *dBias, long dBiasFirst, int blocks, int columns) {
  __local float scratch[SUM_COLUMNS * SUM_PARTS];
  int item = get_local_id(0), c = get_group_id(0) * SUM_COLUMNS + item % SUM_COLUMNS;
  partial += partialFirst + min(c, 2 * columns - 1);
  float sum = sumOfBlocks(partial, blocks, 2L * columns, scratch);
  if (item < SUM_COLUMNS && c < columns) {
    dWeight[dWeightFirst + c] += sum;
  } else if (item < SUM_COLUMNS && c < 2 * columns) {
    dBias[dBiasFirst + c - columns] += sum;
  }
}
