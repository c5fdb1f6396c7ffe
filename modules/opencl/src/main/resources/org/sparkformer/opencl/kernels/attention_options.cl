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

#include "dropout_arguments.cl"
