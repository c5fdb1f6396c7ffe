// Arguments of kernels that read queries, keys and values where they lie, in bf16 with QKV_BF16.

#ifndef QKV_BF16
#define QKV_BF16 0
#endif

// Queries, keys and values, each a matrix and the column in it of head 0.
#define INPUT_PARAMETERS                                                                        \
  const global ELEMENT(QKV_BF16) *q, long q_first, long q_column,                               \
      const global ELEMENT(QKV_BF16) *k, long k_first, long k_column,                           \
      const global ELEMENT(QKV_BF16) *v, long v_first, long v_column,                           \
      const global int *key_lengths, long key_lengths_first
// k_length and v_length: rows of a sequence in the matrices of keys and values.
#define EXTENT_PARAMETERS                                                                       \
  int queries, int keys, int first_query, int q_stride, int k_stride, int v_stride,             \
      int k_length, int v_length, float scale
