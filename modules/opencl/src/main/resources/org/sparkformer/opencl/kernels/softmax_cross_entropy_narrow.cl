// Softmax and cross-entropy, as softmax_cross_entropy.cl has them, of rows of a few vectors.
//
// logits [rows, V], WIDTH <= V < (VECTORS + 1) WIDTH, for processors: one work-item a group. A row
// stays in registers, VECTORS whole vectors of it and one that ends with the row and overlaps the
// last of them, where both hold the same values. What is to be done once a row waits for the other
// rows of the group, WIDTH of them, for the logarithm of a vector costs what that of one does.

#include "common.cl"

#define EACH_VECTOR _Pragma("unroll") for (int v = 0; v < VECTORS; v++)

// From 16 - WIDTH + n on: WIDTH weights, 1 for the last n.
__constant float LAST_WEIGHTS[32] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                     1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

#define VLOAD JOIN(vload, WIDTH)
#define VSTORE JOIN(vstore, WIDTH)

/** log(x) to 2 units in the last place for finite x >= 1, NaN for NaN: Cephes, logf. */
static inline floatv logarithm(floatv x) {
  // The exponent moves by one where the mantissa reaches the square root of 2.
  intv bits = AS_INT(x) - 0x3f3504f3;
  floatv exponent = JOIN(convert_float, WIDTH)(bits >> 23);
  floatv m = AS_FLOAT((bits & 0x007fffff) + 0x3f3504f3) - 1.0f;
  floatv square = m * m;
  floatv p = fma(m, (floatv)(7.0376836292e-2f), (floatv)(-1.1514610310e-1f));
  p = fma(p, m, (floatv)(1.1676998740e-1f));
  p = fma(p, m, (floatv)(-1.2420140846e-1f));
  p = fma(p, m, (floatv)(1.4249322787e-1f));
  p = fma(p, m, (floatv)(-1.6668057665e-1f));
  p = fma(p, m, (floatv)(2.0000714765e-1f));
  p = fma(p, m, (floatv)(-2.4999993993e-1f));
  p = fma(p, m, (floatv)(3.3333331174e-1f));
  p = fma(p * m, square, exponent * -2.12194440e-4f);
  p = fma(square, (floatv)(-0.5f), p);
  return SELECT(fma(exponent, (floatv)(0.693359375f), m + p), x, x != x);
}

/** With gradient, overwrites a row. Returns the sum of exp(x - largest). */
static inline float takeRow(__global float *x, int columns, int target, float scale, int gradient,
                            float *largest) {
  floatv row[VECTORS];
  floatv last = LOAD(x + columns - WIDTH);
  floatv most = last;
  EACH_VECTOR {
    row[v] = LOAD(x + v * WIDTH);
    most = SELECT(most, row[v], row[v] > most);
  }
  *largest = largestOfLanes(most);
  last = boundedExponential(last - *largest);
  floatv sum = last * VLOAD(0, LAST_WEIGHTS + 16 - WIDTH + columns - VECTORS * WIDTH);
  EACH_VECTOR {
    row[v] = boundedExponential(row[v] - *largest);
    sum += row[v];
  }
  float total = sumOfLanes(sum);
  if (gradient) {
    float factor = scale / total;
    bool counts = target >= 0;
    EACH_VECTOR STORE(counts ? row[v] * factor : 0.0f, x + v * WIDTH);
    STORE(counts ? last * factor : 0.0f, x + columns - WIDTH);
  }
  return total;
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void softmaxCrossEntropyNarrow(
    __global float *logits, long logitsFirst, __global const int *targets, long targetsFirst,
    __global float *losses, long lossesFirst, int rows, int columns, float scale, int gradient) {
  int start = get_group_id(0) * WIDTH;
  int count = min(WIDTH, rows - start);
  logits += logitsFirst + (long)start * columns;
  targets += targetsFirst + start;
  losses += lossesFirst + start;
  float totals[WIDTH], largest[WIDTH], hits[WIDTH], logs[WIDTH];
  VSTORE((floatv)1.0f, 0, totals);
  for (int r = 0; r < count; r++) {
    __global float *x = logits + (long)r * columns;
    int target = targets[r];
    hits[r] = target < 0 ? 0.0f : x[target];
    totals[r] = takeRow(x, columns, target, scale, gradient, &largest[r]);
    if (gradient && target >= 0) {
      x[target] = (boundedExponentialOfOne(hits[r] - largest[r]) / totals[r] - 1.0f) * scale;
    }
  }
  VSTORE(logarithm(VLOAD(0, totals)), 0, logs);
  for (int r = 0; r < count; r++) {
    losses[r] = targets[r] < 0 ? 0.0f : largest[r] - hits[r] + logs[r];
  }
}
