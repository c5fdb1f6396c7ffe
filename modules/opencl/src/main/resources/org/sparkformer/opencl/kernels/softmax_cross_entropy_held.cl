// Softmax and cross-entropy, as softmax_cross_entropy.cl has them, for devices with many registers: a
// work-group a row, which its items hold from the one time that it is read to the one that its
// gradient is written.
//
// logits [rows, width], V at most VALUES * ITEMS: values of an item lie ITEMS apart.

#define WIDTH 1
#include "common.cl"

#ifndef LOGITS_BF16
#define LOGITS_BF16 0
#endif

#define LEAST -3.0e38f
#define EACH_VALUE _Pragma("unroll") for (int i = 0; i < VALUES; i++)

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void softmaxCrossEntropyHeld(
    __global ELEMENT(LOGITS_BF16) *logits, long logitsFirst, __global const int *targets, long targetsFirst,
    __global float *losses, long lossesFirst, int rows, int columns, float scale, int gradient, int width) {
  __local float scratch[ITEMS];
  int row = get_group_id(0), item = get_local_id(0);
  __global ELEMENT(LOGITS_BF16) *x = logits + logitsFirst + (long)row * width;
  int target = targets[targetsFirst + row];
  float hit = target < 0 ? 0.0f : VALUE(LOGITS_BF16, x[target]);
  float values[VALUES];
  float largest = LEAST;
  EACH_VALUE {
    int c = item + i * ITEMS;
    values[i] = c < columns ? VALUE(LOGITS_BF16, x[c]) : -INFINITY;
    largest = fmax(largest, values[i]);
  }
  largest = largestOfGroup(largest, scratch);
  float total = 0.0f;
  EACH_VALUE {
    values[i] = exponentialOfOne(values[i] - largest);
    total += values[i];
  }
  // Behind its barriers nobody reads the row any more.
  total = sumOfGroup(total, scratch);
  if (item == 0) losses[lossesFirst + row] = target < 0 ? 0.0f : largest + log(total) - hit;
  if (!gradient) return;
  float factor = scale / total;
  EACH_VALUE {
    int c = item + i * ITEMS;
    float slope = c == target ? values[i] * factor - scale : values[i] * factor;
    if (c < columns) x[c] = ELEMENT_OF(LOGITS_BF16, target < 0 ? 0.0f : slope);
  }
  for (int c = columns + item; c < width; c += ITEMS) x[c] = 0;
}
