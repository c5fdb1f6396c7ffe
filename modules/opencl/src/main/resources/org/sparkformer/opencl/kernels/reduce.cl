// Sums whose order is fixed by the shapes alone.
//
//   blockSum         y[b] = sum of x[i], or x[i]^2, over block b of 1024 elements; overwrites
//   columnPartials   partial[b, c] = sum of x[r, c] over the ROW_BLOCK rows of block b; overwrites
//   columnSum        y[c] += sum over b of partial[b, c]; adds to y
//
// x of the columns is [rows, columns], row-major.

#include "common.cl"

#define BLOCK 1024
#ifndef ROW_BLOCK
#define ROW_BLOCK 64 // rows of a partial sum
#endif
#ifndef STRIP
#define STRIP 4 // vectors of columns that a work-item sums side by side
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

/** Group (s, b): the columns of strip s, the rows of block b. */
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void columnPartials(
    __global const float *x, long xFirst, __global float *partial, long partialFirst, int rows,
    int columns) {
  long block = get_group_id(1);
  long end = min((block + 1) * ROW_BLOCK, (long)rows);
  int first = ((int)get_group_id(0) * ITEMS + (int)get_local_id(0)) * (STRIP * WIDTH);
  __global float *out = partial + partialFirst + block * columns;
  if (first + STRIP * WIDTH <= columns) {
    floatv sum[STRIP];
    for (int s = 0; s < STRIP; s++) {
      sum[s] = 0.0f;
    }
    for (long row = block * ROW_BLOCK; row < end; row++) {
      __global const float *in = x + xFirst + row * columns + first;
      for (int s = 0; s < STRIP; s++) {
        sum[s] += LOAD(in + s * WIDTH);
      }
    }
    for (int s = 0; s < STRIP; s++) {
      STORE(sum[s], out + first + s * WIDTH);
    }
  } else {
    for (int c = first; c < columns; c++) {
      float sum = 0.0f;
      for (long row = block * ROW_BLOCK; row < end; row++) {
        sum += x[xFirst + row * columns + c];
      }
      out[c] = sum;
    }
  }
}

/** A work-item a column. */
__kernel __attribute__((reqd_work_group_size(64, 1, 1))) void columnSum(
    __global const float *partial, long partialFirst, __global float *y, long yFirst, int blocks,
    int columns) {
  int c = get_global_id(0);
  if (c < columns) {
    float sum = 0.0f;
    for (long block = 0; block < blocks; block++) {
      sum += partial[partialFirst + block * columns + c];
    }
    y[yFirst + c] += sum;
  }
}
