// What every attention may be asked for, 0 or 1: masks by position and by key_lengths, dropout of the
// probabilities, and y in bf16.

#ifndef CAUSAL
#define CAUSAL 0
#endif
#ifndef PADDED
#define PADDED 0
#endif
#ifndef DROPOUT
#define DROPOUT 0
#endif
#ifndef Y_BF16
#define Y_BF16 0
#endif

// Arguments of dropout; see the operation for the counter's layout.
#define DROPOUT_PARAMETERS \
  long first_element, long threshold, float keep_scale, int seed_low, int seed_high, int site, \
      int step
#define DROPOUT_ARGUMENTS first_element, threshold, keep_scale, seed_low, seed_high, site, step
