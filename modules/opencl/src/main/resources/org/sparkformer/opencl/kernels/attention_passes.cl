// What attention_gpu.cl and attention_tensor.cl share. PASS says which kernels a program holds, as none
// builds where one of its kernels has too much local memory: 0 forward, 1 backward by query, 2
// backward by key. Scores are in powers of 2: p = exp2(s scale log2(e) - ...), as GPUs have that
// exponential. INLINE as in the file that includes this.

#ifndef PASS
#define PASS 0
#endif

#include "attention_options.cl"
#include "dropout.cl"
#include "elements.cl"

#define LOG2_E 1.44269504f
#define LN_2 0.693147181f

#ifndef GRADIENT_BF16
#define GRADIENT_BF16 0
#endif

// What a pass gives out: y, or gradients of queries, keys and values.
#if PASS == 0
#define RESULT_BF16 Y_BF16
#else
#define RESULT_BF16 GRADIENT_BF16
#endif
