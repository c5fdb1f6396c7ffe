// Sums whose order is fixed by the shapes alone.
//
//   blockSum         y[b] = sum of x[i], or x[i]^2, over block b of 1024 elements; overwrites
//   columnPartials   partial[b, c] = sum of x[r, c] over the ROW_BLOCK rows of block b; overwrites
//   columnSum        y[c] += sum over b of partial[b, c]; adds to y
//
// x of the columns is [rows, columns], row-major, with rows `width` apart.

#include "common.cl"

#ifndef X_BF16
#define X_BF16 0 // whether x of the columns is bf16
#endif

#define BLOCK 1024
#ifndef ROW_BLOCK
#define ROW_BLOCK 64 // rows of a partial sum
#endif

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void blockSum(
    __global const float *x, long xFirst, __global float *y, long yFirst, long n, int squared) {
  __local float scratch[ITEMS];
  long start = (long)get_group_id(0) * BLOCK;
  long end = min(start + BLOCK, n);
  x += xFirst;
  floatv sum = 0.0f;
  float sumOfTail = 0.0f;
  int item = get_local_id(0);
  for (long i = start + item * WIDTH; i + WIDTH <= end; i += ITEMS * WIDTH) {
    floatv v = LOAD(x + i);
    sum = squared ? fma(v, v, sum) : sum + v;
  }
  for (long i = start + (end - start) / WIDTH * WIDTH + item; i < end; i += ITEMS) {
    sumOfTail = squared ? fma(x[i], x[i], sumOfTail) : sumOfTail + x[i];
  }
  float total = sumOfGroup(sumOfLanes(sum) + sumOfTail, scratch);
  if (item == 0) {
    y[yFirst + get_group_id(0)] = total;
  }
}

/**
 * Group b: the rows of block b, in their order. Of processors, along whole rows, four at a time; of
 * others, group c of axis 1 has a vector of columns an item, with many rows of it on their way.
 */
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void columnPartials(
    __global const ELEMENT(X_BF16) *x, long xFirst, __global float *partial, long partialFirst, int rows,
    int columns, int width) {
  long block = get_group_id(0);
  long start = block * ROW_BLOCK;
  long end = min(start + ROW_BLOCK, (long)rows);
  long stride = width;
  int item = get_local_id(0);
  __global float *out = partial + partialFirst + block * columns;
#if ITEMS > 1
  int c = (get_group_id(1) * ITEMS + item) * WIDTH;
  x += xFirst + start * stride;
  int count = end - start;
  if (c + WIDTH <= columns) {
    floatv sum = 0.0f;
    _Pragma("unroll 8") for (int r = 0; r < count; r++) sum += LOAD_AS(X_BF16, x + r * stride + c);
    STORE(sum, out + c);
  } else {
    for (; c < columns; c++) {
      float sum = 0.0f;
      for (int r = 0; r < count; r++) sum += VALUE(X_BF16, x[r * stride + c]);
      out[c] = sum;
    }
  }
#else
  for (long row = start; row < end; row += 4) {
    __global const ELEMENT(X_BF16) *in = x + xFirst + row * stride;
    bool first = row == start;
    int count = min(4L, end - row);
    for (int c = item * WIDTH; c + WIDTH <= columns; c += ITEMS * WIDTH) {
      floatv sum = first ? (floatv)(0.0f) : LOAD(out + c);
      if (count == 4) {
        sum += LOAD_AS(X_BF16, in + c);
        sum += LOAD_AS(X_BF16, in + stride + c);
        sum += LOAD_AS(X_BF16, in + 2 * stride + c);
        sum += LOAD_AS(X_BF16, in + 3 * stride + c);
      } else {
        for (int r = 0; r < count; r++) {
          sum += LOAD_AS(X_BF16, in + r * stride + c);
        }
      }
      STORE(sum, out + c);
    }
    for (int c = columns / WIDTH * WIDTH + item; c < columns; c += ITEMS) {
      float sum = first ? 0.0f : out[c];
      for (int r = 0; r < count; r++) {
        sum += VALUE(X_BF16, in[r * stride + c]);
      }
      out[c] = sum;
    }
  }
#endif
}

/** A group SUM_COLUMNS columns. */
__kernel __attribute__((reqd_work_group_size(SUM_COLUMNS * SUM_PARTS, 1, 1))) void columnSum(
    __global const float *partial, long partialFirst, __global float *y, long yFirst, int blocks,
    int columns) {
  __local float scratch[SUM_COLUMNS * SUM_PARTS];
  int item = get_local_id(0), c = get_group_id(0) * SUM_COLUMNS + item % SUM_COLUMNS;
  partial += partialFirst + min(c, columns - 1);
  float sum = sumOfBlocks(partial, blocks, columns, scratch);
  if (item < SUM_COLUMNS && c < columns) {
    y[yFirst + c] += sum;
  }
}
