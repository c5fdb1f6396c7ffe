// Tiles of AMX: eight registers of 16 rows of 64 bytes. Needs nothing.
//
// With AMX each macro is one instruction, by name: PoCL's compiler takes them for a processor without
// (TDPBF16PS and its like: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2).
// Without it each is that instruction's meaning in OpenCL C, so that kernels can be tested anywhere.
//
// A kernel calls TILES_BEGIN before the first tile and TILES_END after the last, and declares
// TILE_STATE in the function that uses them. t, c, a and b are register numbers, p is a pointer of any
// address space, stride the bytes from one row to the next.
//
// A processor that has stored no tile for some 120 products takes as long as 50 of them for the next
// (Sapphire Rapids, measured; no manual says why). Who adds up more than that stores one in vain.
//
// Tunable: VAIN, whether it does.

#ifndef AMX
#define AMX 0
#endif

#ifndef VAIN
#define VAIN 1
#endif

#if AMX
#define TILE_STATE uint vain[256] __attribute__((aligned(64)))
#define TILE_STORE_IN_VAIN(t) \
  if (VAIN) TILE_STORE(t, vain, 64)
#define TILE_ZERO(t) __asm__ volatile("tilezero %%tmm" #t ::: "memory")
#define TILE_LOAD(t, p, stride) \
  __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #t ::"r"((ulong)(p)), "r"((long)(stride)) : "memory")
#define TILE_STORE(t, p, stride) \
  __asm__ volatile("tilestored %%tmm" #t ", (%0,%1,1)" ::"r"((ulong)(p)), "r"((long)(stride)) \
                   : "memory")
// c += a b, of fp32 and pairs of bf16.
#define TILE_MULTIPLY_ADD(c, a, b) \
  __asm__ volatile("tdpbf16ps %%tmm" #b ", %%tmm" #a ", %%tmm" #c ::: "memory")
#define TILES_END() __asm__ volatile("tilerelease" ::: "memory")

// All eight of full size: palette 1, 64 bytes a row, 16 rows.
void TILES_BEGIN() {
  uchar shape[64];
  for (int i = 0; i < 64; i++) shape[i] = i == 0;
  for (int t = 0; t < 8; t++) {
    shape[16 + 2 * t] = 64;
    shape[48 + t] = 16;
  }
  __asm__ volatile("ldtilecfg (%0)" ::"r"((ulong)shape) : "memory");
}
#else
#define TILE_STATE uint tiles[8][256]
#define TILE_STORE_IN_VAIN(t)
#define TILE_ZERO(t) tile_zero(tiles[t])
#define TILE_LOAD(t, p, stride) tile_load(tiles[t], (ulong)(p), stride)
#define TILE_STORE(t, p, stride) tile_store(tiles[t], (ulong)(p), stride)
#define TILE_MULTIPLY_ADD(c, a, b) tile_multiply_add(tiles[c], tiles[a], tiles[b])
#define TILES_BEGIN()
#define TILES_END()

void tile_zero(uint *tile) {
  for (int i = 0; i < 256; i++) tile[i] = 0;
}

void tile_load(uint *tile, ulong address, ulong stride) {
  for (int i = 0; i < 256; i++)
    tile[i] = ((const private uint *)(address + i / 16 * stride))[i % 16];
}

void tile_store(const uint *tile, ulong address, ulong stride) {
  for (int i = 0; i < 256; i++) ((private uint *)(address + i / 16 * stride))[i % 16] = tile[i];
}

// The sums of the pairs' first and second elements are kept apart until the last pair.
void tile_multiply_add(uint *c, const uint *a, const uint *b) {
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 16; j++) {
      float first = 0, second = 0;
      for (int k = 0; k < 16; k++) {
        uint x = a[16 * i + k], y = b[16 * k + j];
        first = fma(as_float(x << 16), as_float(y << 16), first);
        second = fma(as_float(x & 0xffff0000u), as_float(y & 0xffff0000u), second);
      }
      c[16 * i + j] = as_uint(as_float(c[16 * i + j]) + (first + second));
    }
}
#endif

// 32 rows and 32 columns of sums in registers 0 to 3: those at an address, or zeros, to begin with; and
// put at an address. Strides in bytes from one row to the next.
#define SQUARE_BEGIN(from, stride, from_zero)           \
  if (from_zero) {                                      \
    TILE_ZERO(0);                                       \
    TILE_ZERO(1);                                       \
    TILE_ZERO(2);                                       \
    TILE_ZERO(3);                                       \
  } else {                                              \
    TILE_LOAD(0, from, stride);                         \
    TILE_LOAD(1, (from) + 64, stride);                  \
    TILE_LOAD(2, (from) + 16 * (stride), stride);       \
    TILE_LOAD(3, (from) + 16 * (stride) + 64, stride);  \
  }
#define SQUARE_END(to, stride)                        \
  TILE_STORE(0, to, stride);                          \
  TILE_STORE(1, (to) + 64, stride);                   \
  TILE_STORE(2, (to) + 16 * (stride), stride);        \
  TILE_STORE(3, (to) + 16 * (stride) + 64, stride)

// Adds the product of 32 rows and 32 columns over so many words of depth, a multiple of 16, to the sums
// at one address, or to zero, and puts them at another. Addresses in any address space. a holds pairs
// along its rows, b pairs that lie across two rows.
void add_square(ulong a, ulong a_stride, ulong b, ulong b_stride, int words, ulong from,
                ulong from_stride, int from_zero, ulong to, ulong to_stride) {
  TILE_STATE;
  ulong a_below = 16 * a_stride;
  SQUARE_BEGIN(from, from_stride, from_zero);
  for (int k = 0; k < words; k += 16, a += 64, b += 16 * b_stride) {
    TILE_LOAD(4, a, a_stride);
    TILE_LOAD(6, b, b_stride);
    TILE_MULTIPLY_ADD(0, 4, 6);
    TILE_LOAD(7, b + 64, b_stride);
    TILE_MULTIPLY_ADD(1, 4, 7);
    TILE_LOAD(5, a + a_below, a_stride);
    TILE_MULTIPLY_ADD(2, 5, 6);
    TILE_MULTIPLY_ADD(3, 5, 7);
    if (k % 128 == 112) TILE_STORE_IN_VAIN(7);
  }
  SQUARE_END(to, to_stride);
}
