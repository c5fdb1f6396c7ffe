// Softmax and cross-entropy of rows of V logits, without storing probabilities.
//
//   losses[r] = logSumExp(logits[r]) - logits[r, targets[r]], or 0 where targets[r] < 0
//   with gradient: logits[r] = (softmax(logits[r]) - onehot(targets[r])) scale, or 0 likewise
//
// logits [rows, V], row-major, overwritten in place only with gradient; losses [rows] overwritten.
//
// The sum of exponentials is online (Milakov and Gimelshein, arXiv:1805.02867): chunk by chunk of
// CHUNK vectors an item, rescaled where a chunk holds a larger logit. One group a row.

#include "common.cl"

#ifndef CHUNK
#define CHUNK 16 // vectors of an item between rescalings
#endif

#define LEAST -3.0e38f

/** The last columns, fewer than WIDTH, filled up with values whose exponential is 0. */
inline floatv tail(__global const float *row, int first, int columns) {
#if WIDTH == 1
  return LEAST;
#else
  float values[WIDTH];
  for (int i = 0; i < WIDTH; i++) {
    values[i] = first + i < columns ? row[first + i] : -INFINITY;
  }
  return LOAD(values);
#endif
}

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void softmaxCrossEntropy(
    __global float *logits, long logitsFirst, __global const int *targets, long targetsFirst,
    __global float *losses, long lossesFirst, int columns, float scale, int gradient) {
  __local float scratch[ITEMS];
  long row = get_group_id(0);
  int item = get_local_id(0);
  __global float *x = logits + logitsFirst + row * columns;
  int target = targets[targetsFirst + row];
  int whole = columns / WIDTH * WIDTH;
  bool hasTail = item == 0 && whole < columns;
  floatv last = LEAST;
  if (hasTail) {
    last = tail(x, whole, columns);
  }
  float largest = hasTail ? fmax(LEAST, largestOfLanes(last)) : LEAST;
  float total = hasTail ? sumOfLanes(exp(last - largest)) : 0.0f;
  for (int start = item * WIDTH; start < whole; start += CHUNK * ITEMS * WIDTH) {
    int end = min(start + CHUNK * ITEMS * WIDTH, whole);
    floatv chunkLargest = LEAST;
    for (int c = start; c < end; c += ITEMS * WIDTH) {
      chunkLargest = fmax(chunkLargest, LOAD(x + c));
    }
    float next = fmax(largest, largestOfLanes(chunkLargest));
    floatv sum = 0.0f;
    for (int c = start; c < end; c += ITEMS * WIDTH) {
      sum += exp(LOAD(x + c) - next);
    }
    total = fma(total, exp(largest - next), sumOfLanes(sum));
    largest = next;
  }
  float largestOfRow = largestOfGroup(largest, scratch);
  total = sumOfGroup(total * exp(largest - largestOfRow), scratch);
  float logTotal = largestOfRow + log(total);
  float hit = target < 0 ? 0.0f : x[target];
  if (item == 0) {
    losses[lossesFirst + row] = target < 0 ? 0.0f : logTotal - hit;
  }
  if (!gradient) {
    return;
  }
  // Until all items have read the target's logit, none may overwrite it.
  waitForGroup();
  float factor = target < 0 ? 0.0f : scale;
  for (int c = item * WIDTH; c < whole; c += ITEMS * WIDTH) {
    floatv p = target < 0 ? (floatv)(0.0f) : exp(LOAD(x + c) - logTotal) * factor;
    STORE(p, x + c);
  }
  for (int c = whole + item; c < columns; c += ITEMS) {
    x[c] = target < 0 ? 0.0f : exp(x[c] - logTotal) * factor;
  }
  waitForGroup();
  if (item == 0 && target >= 0) {
    x[target] = (exp(hit - logTotal) - 1.0f) * factor;
  }
}
