// Softmax and cross-entropy of rows of V logits, without storing probabilities.
//
//   losses[r] = logSumExp(logits[r]) - logits[r, targets[r]], or 0 where targets[r] < 0
//   with gradient: logits[r] = (softmax(logits[r]) - onehot(targets[r])) scale, or 0 likewise
//
// logits [rows, V], row-major, overwritten in place only with gradient; losses [rows] overwritten.
//
// The sum of exponentials is online (Milakov and Gimelshein, arXiv:1805.02867): chunk by chunk of
// CHUNK vectors an item, rescaled where a chunk holds a larger logit. A group works on ROWS rows.

#include "common.cl"

#ifndef CHUNK
#define CHUNK 16 // vectors of an item between rescalings
#endif

#ifndef ROWS
#define ROWS 4 // rows of a group
#endif

#define LEAST -3.0e38f

/** The last columns, fewer than WIDTH, filled up with values whose exponential is 0. */
static inline floatv tail(__global const float *row, int first, int columns) {
#if WIDTH == 1
  return LEAST;
#else
  float values[WIDTH];
  for (int i = 0; i < WIDTH; i++) {
    values[i] = first + i < columns ? row[first + i] : -INFINITY;
  }
  return JOIN(vload, WIDTH)(0, values);
#endif
}

/** Logarithm of the sum of exponentials of a row, the same in every item of the group. */
static inline float logSumExp(__global const float *x, int columns, __local float *scratch) {
  int item = get_local_id(0);
  int whole = columns / WIDTH * WIDTH;
  float largest = LEAST;
  float total = 0.0f;
  for (int start = item * WIDTH; start < whole; start += CHUNK * ITEMS * WIDTH) {
    int end = min(start + CHUNK * ITEMS * WIDTH, whole);
    floatv chunkLargest = LEAST;
    for (int c = start; c < end; c += ITEMS * WIDTH) {
      floatv v = LOAD(x + c);
      chunkLargest = SELECT(chunkLargest, v, v > chunkLargest);
    }
    float next = fmax(largest, largestOfLanes(chunkLargest));
    floatv sum = 0.0f;
    for (int c = start; c < end; c += ITEMS * WIDTH) {
      sum += exponential(LOAD(x + c) - next);
    }
    total = fma(total, exponentialOfOne(largest - next), sumOfLanes(sum));
    largest = next;
  }
  if (item == 0 && whole < columns) {
    floatv last = tail(x, whole, columns);
    float next = fmax(largest, largestOfLanes(last));
    floatv sum = exponential(last - next);
    total = fma(total, exponentialOfOne(largest - next), sumOfLanes(sum));
    largest = next;
  }
  float largestOfRow = largestOfGroup(largest, scratch);
  total = sumOfGroup(total * exponentialOfOne(largest - largestOfRow), scratch);
  return largestOfRow + log(total);
}

/** x = exp(x - logTotal) scale. */
static inline void overwriteByProbabilities(__global float *x, int columns, float logTotal,
                                     float scale) {
  int item = get_local_id(0);
  for (int c = item * WIDTH; c + WIDTH <= columns; c += ITEMS * WIDTH) {
    STORE(exponential(LOAD(x + c) - logTotal) * scale, x + c);
  }
  for (int c = columns / WIDTH * WIDTH + item; c < columns; c += ITEMS) {
    x[c] = exponentialOfOne(x[c] - logTotal) * scale;
  }
}

static inline void overwriteByZero(__global float *x, int columns) {
  for (int c = get_local_id(0); c < columns; c += ITEMS) {
    x[c] = 0.0f;
  }
}

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void softmaxCrossEntropy(
    __global float *logits, long logitsFirst, __global const int *targets, long targetsFirst,
    __global float *losses, long lossesFirst, int rows, int columns, float scale, int gradient) {
  __local float scratch[ITEMS];
  long start = (long)get_group_id(0) * ROWS;
  long end = min(start + ROWS, (long)rows);
  for (long row = start; row < end; row++) {
    __global float *x = logits + logitsFirst + row * columns;
    int target = targets[targetsFirst + row];
    float logTotal = logSumExp(x, columns, scratch);
    float hit = target < 0 ? 0.0f : x[target];
    if (get_local_id(0) == 0) {
      losses[lossesFirst + row] = target < 0 ? 0.0f : logTotal - hit;
    }
    if (gradient) {
      // Until all items have read the target's logit, none may overwrite it.
      waitForGroup();
      if (target < 0) {
        overwriteByZero(x, columns);
      } else {
        overwriteByProbabilities(x, columns, logTotal, scale);
      }
      waitForGroup();
      if (get_local_id(0) == 0 && target >= 0) {
        x[target] = (exponentialOfOne(hit - logTotal) - 1.0f) * scale;
      }
    }
  }
}
