// What every product C = op(A) op(B) may be asked for besides: to add to C, to add a bias, to give GELU(C)
// too, and C or GELU(C) in bf16. 0 or 1, and GELU 2 where it is the exact one.

#ifndef ACCUMULATE
#define ACCUMULATE 0
#endif
#ifndef BIAS
#define BIAS 0
#endif
#ifndef GELU
#define GELU 0
#endif
#ifndef C_BF16
#define C_BF16 0
#endif
#ifndef ACTIVATED_BF16
#define ACTIVATED_BF16 0
#endif
