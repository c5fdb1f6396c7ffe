// GELU in its tanh form, as x / (1 + exp(-2 u)): Hendrycks and Gimpel, arXiv:1606.08415. For kernels
// with one element an item at a time; INLINE as in the file that includes this.
INLINE float gelu(float x) {
  float u = x * fma(x * x, 0.7978845608f * 0.044715f, 0.7978845608f);
  return x / (1.0f + exp(-2.0f * u));
}
