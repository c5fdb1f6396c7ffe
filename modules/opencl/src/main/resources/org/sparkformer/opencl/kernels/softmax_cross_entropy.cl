// Softmax and cross-entropy of rows of V logits, without storing probabilities.
//
//   losses[r] = logSumExp(logits[r]) - logits[r, targets[r]], or 0 where targets[r] < 0
//   with gradient: logits[r] = (softmax(logits[r]) - onehot(targets[r])) scale, or 0 likewise
//
// logits [rows, width], row-major, fp32 or with LOGITS_BF16 bf16, overwritten in place only with gradient,
// and with zeros beyond V; losses [rows] overwritten.
//
// The sum of exponentials is online (Milakov and Gimelshein, arXiv:1805.02867): chunk by chunk of
// an item, rescaled where a chunk holds a larger logit. A group works on ROWS rows.
//
// With KEEPS, the gradient is made of the sum's own exponentials, which stand in the logits' place
// meanwhile, each relative to the largest logit known to its chunk. That saves the second exponential
// where a row stays in a cache until it is done; elsewhere it costs memory traffic.

#include "common.cl"
#include "prefetch.cl"

#ifndef CHUNK
#define CHUNK 16 // vectors of an item between rescalings, at least
#endif

#ifndef ROWS
#define ROWS 4 // rows of a group
#endif

#ifndef LOGITS_BF16
#define LOGITS_BF16 0
#endif
#define LOGIT ELEMENT(LOGITS_BF16)

#ifndef KEEPS
#define KEEPS (ITEMS == 1 && !LOGITS_BF16)
#endif

#define CHUNKS 64 // of an item, at most

#define LEAST -3.0e38f

// Vectors of an item that go through the exponential together: its steps wait for each other.
#define TOGETHER 4
#define EACH_VECTOR _Pragma("unroll") for (int v = 0; v < TOGETHER; v++)
#define STRIDE (ITEMS * WIDTH)
#define AHEAD 128 // vectors that are asked of memory before their turn

/** Elements from the start of an item's chunk to that of its next. */
static inline int chunkOf(int columns) {
  int vectors = (columns / STRIDE + CHUNKS) / CHUNKS;
  return max(vectors, CHUNK) * STRIDE;
}

/** The last columns, fewer than WIDTH, filled up with values whose exponential is 0. */
static inline floatv tail(__global const LOGIT *row, int first, int columns) {
#if WIDTH == 1
  return LEAST;
#else
  float values[WIDTH];
  for (int i = 0; i < WIDTH; i++) {
    values[i] = first + i < columns ? VALUE(LOGITS_BF16, row[first + i]) : -INFINITY;
  }
  return JOIN(vload, WIDTH)(0, values);
#endif
}

/** The largest of this item's vectors from start on, of those that lie before end. */
static inline float largestOfChunk(__global const LOGIT *x, int start, int end) {
  floatv largest = LEAST;
  int c = start;
  for (; c + (TOGETHER - 1) * STRIDE < end; c += TOGETHER * STRIDE) {
    EACH_VECTOR {
      floatv value = LOAD_AS(LOGITS_BF16, x + c + v * STRIDE);
      largest = SELECT(largest, value, value > largest);
    }
  }
  for (; c < end; c += STRIDE) {
    floatv value = LOAD_AS(LOGITS_BF16, x + c);
    largest = SELECT(largest, value, value > largest);
  }
  return largestOfLanes(largest);
}

/** The sum of exp(x - largest) over the same vectors, which may take the place of x. */
static inline float sumOfChunk(__global LOGIT *x, int start, int end, float largest, bool keeps) {
  floatv sum = 0.0f;
  int c = start;
  for (; c + (TOGETHER - 1) * STRIDE < end; c += TOGETHER * STRIDE) {
    floatv e[TOGETHER];
    EACH_VECTOR PREFETCH(x + c + (AHEAD + v) * STRIDE);
    EACH_VECTOR e[v] = boundedExponential(LOAD_AS(LOGITS_BF16, x + c + v * STRIDE) - largest);
    EACH_VECTOR sum += e[v];
    if (keeps) {
      EACH_VECTOR STORE_AS(LOGITS_BF16, e[v], x + c + v * STRIDE);
    }
  }
  for (; c < end; c += STRIDE) {
    floatv e = boundedExponential(LOAD_AS(LOGITS_BF16, x + c) - largest);
    sum += e;
    if (keeps) {
      STORE_AS(LOGITS_BF16, e, x + c);
    }
  }
  return sumOfLanes(sum);
}

/**
 * Logarithm of the sum of exponentials of a row, the same in every item of the group.
 *
 * @param references with keeps, what is subtracted from the logits of each of this item's chunks
 */
static inline float logSumExp(__global LOGIT *x, int columns, bool keeps, float *references,
                              __local float *scratch) {
  int item = get_local_id(0);
  int whole = columns / WIDTH * WIDTH;
  int chunk = chunkOf(columns);
  float largest = LEAST;
  float total = 0.0f;
  for (int start = item * WIDTH; start < whole; start += chunk) {
    int end = min(start + chunk, whole);
    float next = fmax(largest, largestOfChunk(x, start, end));
    float sum = sumOfChunk(x, start, end, next, keeps);
    total = fma(total, exponentialOfOne(largest - next), sum);
    largest = next;
    if (keeps) {
      references[start / chunk] = next;
    }
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

/** x = exp(x - logTotal) scale over this item's vectors of a chunk. */
static inline void overwriteChunk(__global LOGIT *x, int start, int end,
                                  float logTotal, float scale) {
  int c = start;
  for (; c + (TOGETHER - 1) * STRIDE < end; c += TOGETHER * STRIDE) {
    floatv e[TOGETHER];
    EACH_VECTOR e[v] = boundedExponential(LOAD_AS(LOGITS_BF16, x + c + v * STRIDE) - logTotal) * scale;
    EACH_VECTOR STORE_AS(LOGITS_BF16, e[v], x + c + v * STRIDE);
  }
  for (; c < end; c += STRIDE) {
    STORE_AS(LOGITS_BF16, boundedExponential(LOAD_AS(LOGITS_BF16, x + c) - logTotal) * scale, x + c);
  }
}

/** x = x factor over the same vectors. */
static inline void scaleChunk(__global LOGIT *x, int start, int end, float factor) {
  for (int c = start; c < end; c += STRIDE) {
    STORE_AS(LOGITS_BF16, LOAD_AS(LOGITS_BF16, x + c) * factor, x + c);
  }
}

/** x = exp(x - logTotal) scale, where with KEEPS x is exp(x - reference of its chunk). */
static inline void overwriteByProbabilities(__global LOGIT *x, int columns, float logTotal,
                                            float scale, const float *references) {
  int item = get_local_id(0);
  int whole = columns / WIDTH * WIDTH;
  int chunk = chunkOf(columns);
  for (int start = item * WIDTH; start < whole; start += chunk) {
    int end = min(start + chunk, whole);
    if (KEEPS) {
      float factor = exponentialOfOne(references[start / chunk] - logTotal) * scale;
      scaleChunk(x, start, end, factor);
    } else {
      overwriteChunk(x, start, end, logTotal, scale);
    }
  }
  for (int c = whole + item; c < columns; c += ITEMS) {
    float slope = exponentialOfOne(VALUE(LOGITS_BF16, x[c]) - logTotal) * scale;
    x[c] = ELEMENT_OF(LOGITS_BF16, slope);
  }
}

static inline void overwriteByZero(__global LOGIT *x, int first, int columns) {
  for (int c = first + get_local_id(0); c < columns; c += ITEMS) {
    x[c] = 0;
  }
}

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void softmaxCrossEntropy(
    __global LOGIT *logits, long logitsFirst, __global const int *targets, long targetsFirst,
    __global float *losses, long lossesFirst, int rows, int columns, float scale, int gradient, int width) {
  __local float scratch[ITEMS];
  long start = (long)get_group_id(0) * ROWS;
  long end = min(start + ROWS, (long)rows);
  for (long row = start; row < end; row++) {
    __global LOGIT *x = logits + logitsFirst + row * width;
    int target = targets[targetsFirst + row];
    float hit = target < 0 ? 0.0f : VALUE(LOGITS_BF16, x[target]);
    float references[CHUNKS];
    float logTotal = logSumExp(x, columns, KEEPS && gradient, references, scratch);
    if (get_local_id(0) == 0) {
      losses[lossesFirst + row] = target < 0 ? 0.0f : logTotal - hit;
    }
    if (gradient) {
      // Until all items have read the row and the target's logit, none may overwrite them.
      waitForGroup();
      if (target < 0) {
        overwriteByZero(x, 0, columns);
      } else {
        overwriteByProbabilities(x, columns, logTotal, scale, references);
      }
      overwriteByZero(x, columns, width);
      waitForGroup();
      if (get_local_id(0) == 0 && target >= 0) {
        float slope = (exponentialOfOne(hit - logTotal) - 1.0f) * scale;
        x[target] = ELEMENT_OF(LOGITS_BF16, slope);
      }
    }
  }
}
