// What NVIDIA's compute capability 9.0 adds to nvidia.cl, which has to stand before this file: matrix
// products of a warp group, of operands in local memory, that run beside what follows them
// (wgmma). Each instruction stands twice here too, with PTX and as what it means in OpenCL C, where
// a product is not made before it is waited for.
//
// OpenCL C is compiled for sm_90, which knows none of these, and not for sm_90a. So the lines of PTX
// are comments that begin with //sm_90a; of the program's PTX the host makes one for sm_90a, where
// they are none (HopperPtx.java; the way is hfp/libxstream's, samples/ozaki).
//
// A warp group is 4 warps that follow each other, 128 work-items, of which the first is a multiple
// of 128. Sources: PTX ISA 8.5, sections 9.7.15.5 (wgmma; fragments, layouts and descriptors in local
// memory) and 9.7.12.16 (fence.proxy).
//
// COLUMNS, of a product: 64, 128 or 256. STEP, elements of the inner product in a buffer. A_ACROSS and
// B_ACROSS as in matmul_operands.cl, of operands in local memory.

#define GROUP_ROWS 64

#if PTX

#define HOPPER(instruction) "//sm_90a " instruction

#define NAMES_32 \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, " \
  "%14, %15, %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, " \
  "%26, %27, %28, %29, %30, %31"
#define NAMES_64 \
  NAMES_32 ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, " \
  "%44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, " \
  "%56, %57, %58, %59, %60, %61, %62, %63"
#define NAMES_128 \
  NAMES_64 ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, " \
  "%76, %77, %78, %79, %80, %81, %82, %83, %84, %85, %86, %87, " \
  "%88, %89, %90, %91, %92, %93, %94, %95, %96, %97, %98, %99, " \
  "%100, %101, %102, %103, %104, %105, %106, %107, %108, %109, " \
  "%110, %111, %112, %113, %114, %115, %116, %117, %118, %119, " \
  "%120, %121, %122, %123, %124, %125, %126, %127"
#define SUMS_4(i) "+f"(c[i]), "+f"(c[i + 1]), "+f"(c[i + 2]), "+f"(c[i + 3])
#define SUMS_16(i) SUMS_4(i), SUMS_4(i + 4), SUMS_4(i + 8), SUMS_4(i + 12)
#define SUMS_32(i) SUMS_16(i), SUMS_16(i + 16)
#if COLUMNS == 64
#define SUMS SUMS_32(0)
#define PRODUCT "n64k16.f32.bf16.bf16 {" NAMES_32 "}, %32, %33"
#define HELD_PRODUCT "n64k16.f32.bf16.bf16 {" NAMES_32 "}, {%32, %33, %34, %35}, %36"
#elif COLUMNS == 128
#define SUMS SUMS_32(0), SUMS_32(32)
#define PRODUCT "n128k16.f32.bf16.bf16 {" NAMES_64 "}, %64, %65"
#else
#define SUMS SUMS_32(0), SUMS_32(32), SUMS_32(64), SUMS_32(96)
#define PRODUCT "n256k16.f32.bf16.bf16 {" NAMES_128 "}, %128, %129"
#endif

// Makes what this item's copies wrote to local memory visible to products; after a wait for the
// copies, before a barrier.
INLINE void publish_copies(warp_t *warp) {
  asm volatile(HOPPER("fence.proxy.async.shared::cta;") ::: "memory");
}

// Before the first of some products. All sums are named, here and at the waits, so that the compiler
// leaves them where they are.
INLINE void begin_products(float *c, warp_t *warp) {
  asm volatile(HOPPER("wgmma.fence.sync.aligned;") : SUMS : : "memory");
}

// Describes an operand's 16 elements of the inner product from `k` on, which is a multiple of 16, in
// local memory at a multiple of 1024 bytes. All in units of 16 bytes: the address, two strides, and how
// chunks are swapped. Along rows: from row to row 8 further on. Across them, where rows of 64 lie under
// each other for each element of the inner product: from 64 rows to the next, from 8 elements to the
// next.
INLINE ulong operand_of(const local ushort *rows, int k, int across) {
  ulong at = (ulong)rows >> 4;
  if (across) return ((at + k * 8) & 0x3fff) | (ulong)(8 * STEP) << 16 | 64ul << 32 | 1ul << 62;
  ulong swapped = STEP == 64 ? 1 : 2; // 128 or 64 bytes wide
  return ((at + k / 8) & 0x3fff) | 1ul << 16 | (ulong)STEP << 32 | swapped << 62;
}

#define TEXT_NOW(x) #x
#define TEXT(x) TEXT_NOW(x)

// Starts c += a b with a [64, 16] and b [16, COLUMNS] of bf16, from element k of the inner product in
// the buffer on; c [64, COLUMNS] of fp32. Warp w of the group holds rows 16 w to 16 w + 15 of c, of
// 8 columns after the other as multiply_add does.
#define START_PRODUCT(adds)                                                                  \
  asm volatile(HOPPER("wgmma.mma_async.sync.aligned.m64" PRODUCT ", " adds ", 1, 1, "       \
                      TEXT(A_ACROSS) ", " TEXT(B_ACROSS) ";")                                \
               : SUMS                                                                        \
               : "l"(operand_of(a, k, A_ACROSS)), "l"(operand_of(b, k, B_ACROSS))            \
               : "memory")
INLINE void start_product(float *c, const local ushort *a, const local ushort *b, int k,
                          warp_t *warp) {
  START_PRODUCT("1");
}

// As start_product, c = a b.
INLINE void start_first_product(float *c, const local ushort *a, const local ushort *b, int k,
                                warp_t *warp) {
  START_PRODUCT("0");
}

#ifdef HELD_PRODUCT
// Has an operand made before the products begin, not between them.
#define hold(x) asm volatile("" : "+r"(x.s0), "+r"(x.s1), "+r"(x.s2), "+r"(x.s3))

// As start_product, with a in registers as multiply_add has it, and b across.
INLINE void start_held_product(float *c, uint4 a, const local ushort *b, int k, warp_t *warp) {
  asm volatile(HOPPER("wgmma.mma_async.sync.aligned.m64" HELD_PRODUCT ", 1, 1, 1, 1;")
               : SUMS
               : "r"(a.s0), "r"(a.s1), "r"(a.s2), "r"(a.s3), "l"(operand_of(b, k, 1))
               : "memory");
}
#endif

// Ends a group of products.
INLINE void commit_products(warp_t *warp) {
  asm volatile(HOPPER("wgmma.commit_group.sync.aligned;") ::: "memory");
}

// Waits until at most `open` groups are under way, 0 or 1, the newest ones: c has the sums of the others.
INLINE void wait_for_products(int open, float *c, warp_t *warp) {
  if (open == 0)
    asm volatile(HOPPER("wgmma.wait_group.sync.aligned 0;") : SUMS : : "memory");
  else
    asm volatile(HOPPER("wgmma.wait_group.sync.aligned 1;") : SUMS : : "memory");
}

#else

#define hold(x)

INLINE void publish_copies(warp_t *warp) {}

INLINE void begin_products(float *c, warp_t *warp) {}

INLINE void start(product_t product, warp_t *warp) {
  warp->products[warp->products_started++ % MOST_PRODUCTS] = product;
}

INLINE void start_product(float *c, const local ushort *a, const local ushort *b, int k,
                          warp_t *warp) {
  product_t product = {.c = c, .adds = true, .a = a, .b = b, .k = k};
  start(product, warp);
}

INLINE void start_first_product(float *c, const local ushort *a, const local ushort *b, int k,
                                warp_t *warp) {
  product_t product = {.c = c, .adds = false, .a = a, .b = b, .k = k};
  start(product, warp);
}

INLINE void start_held_product(float *c, uint4 a, const local ushort *b, int k, warp_t *warp) {
  local uint4 *held = warp->held + warp->products_started % MOST_HELD * ITEMS;
  held[get_local_id(0)] = a;
  product_t product = {.c = c, .adds = true, .b = b, .k = k, .held = held};
  start(product, warp);
}

INLINE void commit_products(warp_t *warp) {
  warp->product_ends[warp->product_groups++ % MOST_GROUPS] = warp->products_started;
}

INLINE float element_of(const local ushort *rows, int row, int k, int across) {
  int place = across ? place_across(row / 8, k, STEP) + row % 8 : place_of(row, k / 8, CHUNKS) + k % 8;
  return half_of(rows[place], 0);
}

// Element (row, k) of an operand that the lanes of this item's warp hold, as multiply_add has it.
INLINE float element_of_held(const local uint4 *held, int row, int k) {
  int lane = row % 8 * 4 + k % 8 / 2;
  uint4 part = held[get_local_id(0) / WARP * WARP + lane];
  return half_of(k < 8 ? (row < 8 ? part.s0 : part.s1) : (row < 8 ? part.s2 : part.s3), k % 2);
}

INLINE void make_product(const product_t *product) {
  int lane = get_local_id(0) % WARP, number = get_local_id(0) / WARP % 4;
  for (int e = 0; e < COLUMNS / 2; e++) {
    int row = lane / 4 + e / 2 % 2 * 8;
    int column = e / 4 * 8 + 2 * (lane % 4) + e % 2;
    if (!product->adds) product->c[e] = 0.0f;
    for (int k = 0; k < 16; k++) {
      float x = product->held ? element_of_held(product->held, row, k)
                              : element_of(product->a, 16 * number + row, product->k + k, A_ACROSS);
      float y = element_of(product->b, column, product->k + k, product->held || B_ACROSS);
      product->c[e] = fma(x, y, product->c[e]);
    }
  }
}

INLINE void wait_for_products(int open, float *c, warp_t *warp) {
  int groups = warp->product_groups;
  int end = groups > open ? warp->product_ends[(groups - open - 1) % MOST_GROUPS] : 0;
  if (MOST_HELD > 1) barrier(CLK_LOCAL_MEM_FENCE);
  for (; warp->products_done < end; warp->products_done++)
    make_product(&warp->products[warp->products_done % MOST_PRODUCTS]);
  if (MOST_HELD > 1) barrier(CLK_LOCAL_MEM_FENCE);
}

#endif
