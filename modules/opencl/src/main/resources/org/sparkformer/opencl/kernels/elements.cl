// Elements of tensors that are fp32 or bf16, by a macro of the kernel that is 0 or 1, as Y_BF16:
//
//   ELEMENT(Y_BF16)        their type in memory, float or ushort
//   VALUE(Y_BF16, e)       the value of an element
//   ELEMENT_OF(Y_BF16, x)  the element of a value
//
// bf16 is the upper half of an fp32, rounded to nearest and ties to even; NaN stays NaN.

#define BY_TYPE_NOW(name, bf16) name##bf16
#define BY_TYPE(name, bf16) BY_TYPE_NOW(name, bf16)
#define ELEMENT(bf16) BY_TYPE(element, bf16)
#define VALUE(bf16, e) BY_TYPE(value, bf16)(e)
#define ELEMENT_OF(bf16, x) BY_TYPE(element_of, bf16)(x)

typedef float element0;
typedef ushort element1;
#define value0(e) (e)
#define value1(e) as_float((uint)(e) << 16)
#define element_of0(x) (x)

static inline ushort element_of1(float x) {
  uint bits = as_uint(x);
  return isnan(x) ? bits >> 16 | 0x40u : (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}
