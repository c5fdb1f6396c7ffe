// NVIDIA's matrix instructions, which OpenCL C has no names for, and what each of them means.
//
// With PTX each function is one instruction of inline PTX (compute capability 8.0 or newer).
// Without, it is the same in plain OpenCL C: the lanes of a warp exchange what they hold through
// local memory. That form is the instruction's definition, by which the kernels above this file are
// tested on any device; it is slow.
//
// A warp is 32 work-items that follow each other; all items of a work-group call these functions
// together. A kernel declares WARP_STATE(name) and passes it on. Sources: PTX ISA 8.5, sections
// 9.7.14.5.8 (mma.m16n8k16, fragments for .bf16), 9.7.14.5.15 (ldmatrix), 9.7.8.6
// (shfl.sync) and 9.7.9.25.3 (cp.async).
// That a local pointer is a valid address as it stands follows hfp/libxstream (ozaki2_int8.cl).

#ifndef PTX
#define PTX 0
#endif

// A loop that is not unrolled as asked is not worth a line on everybody's terminal.
#pragma clang diagnostic ignored "-Wpass-failed"

#define WARP 32

// Arrays of an item that are passed to a function stay in registers only where it is inlined. Static,
// so that no other copy of it is compiled.
#define INLINE static __attribute__((always_inline))

#if PTX

#define UNROLL _Pragma("unroll")
#define UNROLL_SOME _Pragma("unroll 4")
typedef int warp_t;
#define WARP_STATE(name) warp_t *const name = 0

// Starts copying 16 bytes, past the first-level cache; both addresses are multiples of 16.
INLINE void copy_async(local uint4 *target, const global uint4 *source, warp_t *warp) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"l"(target), "l"(source) : "memory");
}

// As copy_async, of zeros where there is nothing to copy.
INLINE void copy_async_or_zero(local uint4 *target, const global uint4 *source, bool there,
                               warp_t *warp) {
  int bytes = there ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"l"(target), "l"(source), "r"(bytes)
               : "memory");
}

// Ends a group of copies, which may be empty.
INLINE void commit_copies(warp_t *warp) { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Waits until at most `open` of this item's groups are under way, the newest ones. A barrier has to
// follow before other items see them.
#define WAIT_FOR_COPIES(open, warp) asm volatile("cp.async.wait_group %0;" ::"n"(open) : "memory")

// Four 8 x 8 matrices of 16-bit elements: lane 8 m + r passes the address of row r of matrix m, and
// lane l gets of each matrix, in .s0 to .s3, elements 2 (l % 4) and the next of row l / 4.
INLINE uint4 load_matrices(const local ushort *row, warp_t *warp) {
  uint4 m;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(m.s0), "=r"(m.s1), "=r"(m.s2), "=r"(m.s3)
               : "l"(row)
               : "memory");
  return m;
}

// As load_matrices, of each matrix's transpose: of column l / 4, elements 2 (l % 4) and the next.
INLINE uint4 load_transposed(const local ushort *row, warp_t *warp) {
  uint4 m;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(m.s0), "=r"(m.s1), "=r"(m.s2), "=r"(m.s3)
               : "l"(row)
               : "memory");
  return m;
}

// What the lane whose number differs in the bits of mask passes.
INLINE float exchange_lanes(float x, int mask, warp_t *warp) {
  float other;
  asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 0x1f, 0xffffffff;"
               : "=f"(other)
               : "f"(x), "r"(mask));
  return other;
}

// What lane `from` passes.
INLINE float value_of_lane(float x, int from, warp_t *warp) {
  float value;
  asm volatile("shfl.sync.idx.b32 %0, %1, %2, 0x1f, 0xffffffff;"
               : "=f"(value)
               : "f"(x), "r"(from));
  return value;
}

// c += a b with a [16, 16] and b [16, 8] of bf16, c [16, 8] of fp32. Lane l holds, with g = l / 4
// and p = 2 (l % 4), pairs of elements that follow each other along the inner product:
// a: (g, p), (g + 8, p), (g, p + 8), (g + 8, p + 8); b: (p, g), (p + 8, g); and of c the elements
// (g, p), (g, p + 1), (g + 8, p), (g + 8, p + 1).
INLINE void multiply_add(float *c, uint4 a, uint2 b, warp_t *warp) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
               "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a.s0), "r"(a.s1), "r"(a.s2), "r"(a.s3), "r"(b.s0), "r"(b.s1));
}

// The nearest bf16 of two numbers, ties to even, the first in the lower half.
INLINE uint bfloat16_pair(float low, float high) {
  uint pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
}

#else

#define UNROLL _Pragma("nounroll") // a compiler would be minutes over what unrolls
#define UNROLL_SOME UNROLL
#define LANE_WORDS 6
#define MOST_COPIES 128
#define MOST_PRODUCTS 16
#define MOST_GROUPS 8

// A product of a warp group; see hopper.cl. Its left operand lies in local memory, or the items hold it
// and have put it there.
typedef struct {
  float *c;
  bool adds; // to c
  const local ushort *a, *b;
  int k;
  const local uint4 *held;
} product_t;

#ifndef MOST_HELD
#define MOST_HELD 1 // operands that items hold, of products that are not waited for yet
#endif

// Copies are made when they are waited for, or, with EAGER, when they are started: what reads too
// early shows with the first, what is still read when it is written over with the second.
#ifndef EAGER
#define EAGER 0
#endif

// Where the lanes put what they hold for others; and an item's copies and its group's products,
// which are not made before they are waited for.
typedef struct {
  local uint *exchange;
  local uint4 *targets[MOST_COPIES];
  const global uint4 *sources[MOST_COPIES];
  bool there[MOST_COPIES];
  int started, done, ends[MOST_GROUPS], groups;
  local uint4 *held;
  product_t products[MOST_PRODUCTS];
  int products_started, products_done, product_ends[MOST_GROUPS], product_groups;
} warp_t;

#define WARP_STATE(name)                              \
  local uint name##_exchange[ITEMS * LANE_WORDS];     \
  local uint4 name##_held[ITEMS * MOST_HELD];         \
  warp_t name##_state, *name = &name##_state;         \
  name->exchange = name##_exchange;                   \
  name->held = name##_held;                           \
  name->started = name->done = name->groups = 0;      \
  name->products_started = name->products_done = name->product_groups = 0

INLINE void copy_async_or_zero(local uint4 *target, const global uint4 *source, bool there,
                               warp_t *warp) {
  if (EAGER) *target = there ? *source : (uint4)(0);
  warp->targets[warp->started % MOST_COPIES] = target;
  warp->there[warp->started % MOST_COPIES] = there;
  warp->sources[warp->started++ % MOST_COPIES] = source;
}

INLINE void copy_async(local uint4 *target, const global uint4 *source, warp_t *warp) {
  copy_async_or_zero(target, source, true, warp);
}

INLINE void commit_copies(warp_t *warp) {
  warp->ends[warp->groups++ % MOST_GROUPS] = warp->started;
}

#define WAIT_FOR_COPIES(open, warp) wait_for_copies(open, warp)
INLINE void wait_for_copies(int open, warp_t *warp) {
  int end = warp->groups > open ? warp->ends[(warp->groups - open - 1) % MOST_GROUPS] : 0;
  for (; warp->done < end; warp->done++) {
    int at = warp->done % MOST_COPIES;
    *warp->targets[at] = warp->there[at] ? *warp->sources[at] : (uint4)(0);
  }
}

// The words of the lanes of this item's warp, LANE_WORDS each.
INLINE local uint *words_of(const warp_t *warp) {
  return warp->exchange + get_local_id(0) / WARP * WARP * LANE_WORDS;
}

INLINE uint4 load_either(const local ushort *row, int transposed, const warp_t *warp) {
  int lane = get_local_id(0) % WARP;
  local uint *words = words_of(warp);
  ulong address = (ulong)row;
  barrier(CLK_LOCAL_MEM_FENCE);
  words[lane * LANE_WORDS] = (uint)address;
  words[lane * LANE_WORDS + 1] = (uint)(address >> 32);
  barrier(CLK_LOCAL_MEM_FENCE);
  uint loaded[4];
  for (int m = 0; m < 4; m++) {
    uint pair[2];
    for (int e = 0; e < 2; e++) {
      int r = transposed ? 2 * (lane % 4) + e : lane / 4;
      int column = transposed ? lane / 4 : 2 * (lane % 4) + e;
      const local uint *from = words + (8 * m + r) * LANE_WORDS;
      pair[e] = ((const local ushort *)(from[0] | (ulong)from[1] << 32))[column];
    }
    loaded[m] = pair[0] | pair[1] << 16;
  }
  return (uint4)(loaded[0], loaded[1], loaded[2], loaded[3]);
}

INLINE uint4 load_matrices(const local ushort *row, warp_t *warp) {
  return load_either(row, 0, warp);
}

INLINE uint4 load_transposed(const local ushort *row, warp_t *warp) {
  return load_either(row, 1, warp);
}

INLINE float value_of_lane(float x, int from, warp_t *warp) {
  local uint *words = words_of(warp);
  barrier(CLK_LOCAL_MEM_FENCE);
  words[get_local_id(0) % WARP * LANE_WORDS] = as_uint(x);
  barrier(CLK_LOCAL_MEM_FENCE);
  return as_float(words[from * LANE_WORDS]);
}

INLINE float exchange_lanes(float x, int mask, warp_t *warp) {
  return value_of_lane(x, get_local_id(0) % WARP ^ mask, warp);
}

// One bf16 of a pair.
INLINE float half_of(uint pair, int high) {
  return as_float(high ? pair & 0xffff0000u : pair << 16);
}

INLINE void multiply_add(float *c, uint4 a, uint2 b, warp_t *warp) {
  int lane = get_local_id(0) % WARP;
  local uint *words = words_of(warp);
  local uint *mine = words + lane * LANE_WORDS;
  barrier(CLK_LOCAL_MEM_FENCE);
  vstore4(a, 0, mine);
  vstore2(b, 0, mine + 4);
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int e = 0; e < 4; e++) {
    int row = lane / 4 + e / 2 * 8, column = 2 * (lane % 4) + e % 2;
    float sum = c[e];
    for (int k = 0; k < 16; k++) {
      uint x = words[(row % 8 * 4 + k % 8 / 2) * LANE_WORDS + row / 8 + k / 8 * 2];
      uint y = words[(column * 4 + k % 8 / 2) * LANE_WORDS + 4 + k / 8];
      sum = fma(half_of(x, k % 2), half_of(y, k % 2), sum);
    }
    c[e] = sum;
  }
}

INLINE uint bfloat16_bits(float x) {
  uint bits = as_uint(x);
  return isnan(x) ? 0x7fffu : (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}

INLINE uint bfloat16_pair(float low, float high) {
  return bfloat16_bits(low) | bfloat16_bits(high) << 16;
}

#endif

// Where in local memory a chunk of 8 elements of a row lies, in elements, if rows have `chunks` of
// them, a power of two. Chunks of a row are swapped about, so that one chunk of each of 8 rows that
// follow each other, which is what load_matrices takes at once, lies in banks of its own.
INLINE int place_of(int row, int chunk, int chunks) {
  int swap = chunks >= 8 ? row % 8 : row / (8 / chunks) % chunks;
  return (row * chunks + (chunk ^ swap)) * 8;
}

// The same of an operand that lies across, with `depth` elements of the inner product: where chunk
// `chunk` of the k-th of them is. 64 elements of all of these lie together, then the next 64.
INLINE int place_across(int chunk, int k, int depth) {
  return chunk / 8 * (64 * depth) + place_of(k, chunk % 8, 8);
}

// Rows 0 to 15 and chunks 0 and 1 of an operand for load_matrices: as a of multiply_add; and of b,
// columns 0 to 15 with the inner product along the rows of memory, .lo the first 8 of them.
INLINE int place_of_a(int row, int chunk, int chunks) {
  int lane = get_local_id(0) % WARP;
  return place_of(row + lane % 16, chunk + lane / 16, chunks);
}

INLINE int place_of_b(int row, int chunk, int chunks) {
  int lane = get_local_id(0) % WARP;
  return place_of(row + lane % 8 + lane / 16 * 8, chunk + lane / 8 % 2, chunks);
}

// For load_transposed: b of 16 columns, with the inner product down the rows of memory.
INLINE int place_of_b_across(int row, int chunk, int chunks) {
  return place_of_a(row, chunk, chunks);
}
