// Embedding of tokens and positions; row r = b T + t of C elements.
//
//   embeddingForward     y[r] = tokenWeight[tokens[r]] + positionWeight[firstPosition + t]; overwrites
//                        without the latter where positions are not present
//   tokenBackward        dTokenWeight[tokens[r]] += dy[r], rows in their order
//   positionBackward     dPositionWeight[t] += dy[r], sequences in their order
//
// tokens int32 [B, T]; tokenWeight [V, C]; positionWeight [contextLength, C]; y, dy [B T, C]. The
// scatter-add shares out the vocabulary, so that one group adds all rows of a token in their order.

#include "common.cl"

#ifndef ROWS
#define ROWS 8 // rows of a group
#endif
#ifndef BUCKETS
#define BUCKETS 32 // groups that share the vocabulary in tokenBackward
#endif

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void embeddingForward(
    __global const int *tokens, long tokensFirst, __global const float *tokenWeight,
    long tokenWeightFirst, __global const float *positionWeight, long positionWeightFirst,
    __global float *y, long yFirst, int rows, int length, int columns, int firstPosition,
    int positionsPresent) {
  long start = (long)get_group_id(0) * ROWS;
  long end = min(start + ROWS, (long)rows);
  int item = get_local_id(0);
  for (long row = start; row < end; row++) {
    __global const float *token =
        tokenWeight + tokenWeightFirst + (long)tokens[tokensFirst + row] * columns;
    __global const float *position =
        positionWeight + positionWeightFirst + (firstPosition + row % length) * columns;
    __global float *out = y + yFirst + row * columns;
    for (int c = item * WIDTH; c + WIDTH <= columns; c += ITEMS * WIDTH) {
      STORE(positionsPresent ? LOAD(token + c) + LOAD(position + c) : LOAD(token + c), out + c);
    }
    for (int c = columns / WIDTH * WIDTH + item; c < columns; c += ITEMS) {
      out[c] = positionsPresent ? token[c] + position[c] : token[c];
    }
  }
}

/** Adds a row to a token's, by the group's items. */
static inline void addRow(__global const float *in, __global float *out, int columns) {
  int item = get_local_id(0);
  for (int c = item * WIDTH; c + WIDTH <= columns; c += ITEMS * WIDTH) {
    STORE(LOAD(out + c) + LOAD(in + c), out + c);
  }
  for (int c = columns / WIDTH * WIDTH + item; c < columns; c += ITEMS) {
    out[c] += in[c];
  }
}

/**
 * Group k: the rows whose token is k modulo BUCKETS, in their order. The items look at ITEMS tokens
 * at once.
 */
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void tokenBackward(
    __global const int *tokens, long tokensFirst, __global const float *dy, long dyFirst,
    __global float *dTokenWeight, long dTokenWeightFirst, int rows, int columns) {
  int bucket = get_group_id(0);
  int item = get_local_id(0);
  __local int found[ITEMS];
  __local int hits[2]; // whether one is found, this time and the next
  if (item == 0) hits[0] = hits[1] = 0;
  barrier(CLK_LOCAL_MEM_FENCE);
  tokens += tokensFirst;
  dy += dyFirst;
  dTokenWeight += dTokenWeightFirst;
  for (long first = 0; first < rows; first += ITEMS) {
    int token = first + item < rows ? tokens[first + item] : -1;
    int turn = first / ITEMS % 2;
    found[item] = token % BUCKETS == bucket ? token : -1;
    if (found[item] >= 0) hits[turn] = 1;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = 0; hits[turn] && i < ITEMS; i++) {
      if (found[i] >= 0) {
        addRow(dy + (first + i) * columns, dTokenWeight + (long)found[i] * columns, columns);
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (item == 0) hits[turn] = 0;
  }
}

/** A group a position, over all sequences. */
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void positionBackward(
    __global const float *dy, long dyFirst, __global float *dPositionWeight,
    long dPositionWeightFirst, int batch, int length, int columns) {
  long position = get_group_id(0);
  int item = get_local_id(0);
  __global float *out = dPositionWeight + dPositionWeightFirst + position * columns;
  dy += dyFirst + position * columns;
  long sequence = (long)length * columns;
  for (int c = item * WIDTH; c + WIDTH <= columns; c += ITEMS * WIDTH) {
    floatv sum = LOAD(out + c);
    for (long b = 0; b < batch; b++) {
      sum += LOAD(dy + b * sequence + c);
    }
    STORE(sum, out + c);
  }
  for (int c = columns / WIDTH * WIDTH + item; c < columns; c += ITEMS) {
    float sum = out[c];
    for (long b = 0; b < batch; b++) {
      sum += dy[b * sequence + c];
    }
    out[c] = sum;
  }
}
