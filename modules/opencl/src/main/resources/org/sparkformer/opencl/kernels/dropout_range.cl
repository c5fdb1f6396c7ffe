// Dropout of consecutive elements by a group, for kernels in vectors. Needs common.cl.

#include "dropout_arguments.cl"
#include "philox.cl"
#include "prefetch.cl"

typedef realv __attribute__((aligned(4))) unalignedReal;

#define PART (WORDS / WORD_VECTORS) // elements of a vector

/**
 * Of tensors' elements from start up to end: y = x scaled where kept, else 0, plus past where that is
 * not null. y may be x or past. An item covers WORDS elements a step, from a multiple of 4 of the
 * global number on.
 */
static inline void dropRange(__global const float *x, __global const float *past, __global float *y,
                             long start, long end, DROPOUT_PARAMETERS) {
  // A product and what is added to it are rounded one after the other, as by two kernels.
#pragma OPENCL FP_CONTRACT OFF
  uint limit = (uint)threshold;
  long first = start - ((first_element + start) & 3);
  for (long i = first + get_local_id(0) * WORDS; i < end; i += ITEMS * WORDS) {
    // A processor looks less far ahead than the words of a step take, so it is told what comes.
    for (int part = 0; ITEMS == 1 && part < WORD_VECTORS; part++) {
      PREFETCH(x + i + 2 * WORDS + part * PART);
    }
    wordv words[WORD_VECTORS];
    philox((ulong)(first_element + i) >> 2, (uint2)(seed_low, seed_high), site, step, words);
    if (i >= start && i + WORDS <= end) {
      for (int part = 0; part < WORD_VECTORS; part++) {
        long at = i + part * PART;
        realv v = *(__global const unalignedReal *)(x + at) * keep_scale;
        v = select((realv)(0.0f), v, words[part] >= (wordv)(limit));
        if (past) {
          v = *(__global const unalignedReal *)(past + at) + v;
        }
        *(__global unalignedReal *)(y + at) = v;
      }
    } else {
      const uint *single = (const uint *)words;
      // Not all words with a test of each, which would become masked moves: where a mask hides a
      // page that is not there, a processor takes some hundred times as long.
      for (int j = max(0L, start - i); j < min((long)WORDS, end - i); j++) {
        float v = single[j] >= limit ? x[i + j] * keep_scale : 0.0f;
        y[i + j] = past ? past[i + j] + v : v;
      }
    }
  }
}
