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
// COLUMNS, of a product: 64, 128 or 256.

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
INLINE void start_product(float *c, const local ushort *a, const local ushort *b, int k,
                          warp_t *warp) {
  asm volatile(HOPPER("wgmma.mma_async.sync.aligned.m64" PRODUCT ", 1, 1, 1, " TEXT(A_ACROSS)
                      ", " TEXT(B_ACROSS) ";")
               : SUMS
               : "l"(operand_of(a, k, A_ACROSS)), "l"(operand_of(b, k, B_ACROSS))
               : "memory");
}

// Ends a group of products.
INLINE void commit_products(warp_t *warp) {
  asm volatile(HOPPER("wgmma.commit_group.sync.aligned;") ::: "memory");
}

// Waits until at most `open` groups are under way, 0 or 1, the newest ones. After 0, c has the sums.
INLINE void wait_for_products(int open, float *c, warp_t *warp) {
  if (open == 0)
    asm volatile(HOPPER("wgmma.wait_group.sync.aligned 0;") : SUMS : : "memory");
  else
    asm volatile(HOPPER("wgmma.wait_group.sync.aligned 1;") : SUMS : : "memory");
}

#else

INLINE void publish_copies(warp_t *warp) {}

INLINE void begin_products(float *c, warp_t *warp) {}

INLINE void start_product(float *c, const local ushort *a, const local ushort *b, int k,
                          warp_t *warp) {
  product_t product = {a, b, k};
  warp->products[warp->products_started++ % MOST_PRODUCTS] = product;
}

INLINE void commit_products(warp_t *warp) {
  warp->product_ends[warp->product_groups++ % MOST_GROUPS] = warp->products_started;
}

INLINE float element_of(const local ushort *rows, int row, int k, int across) {
  int place = across ? place_across(row / 8, k) + row % 8 : place_of(row, k / 8, CHUNKS) + k % 8;
  return half_of(rows[place], 0);
}

INLINE void make_product(float *c, const product_t *product) {
  int lane = get_local_id(0) % WARP, warp = get_local_id(0) / WARP % 4;
  for (int e = 0; e < COLUMNS / 2; e++) {
    int row = 16 * warp + lane / 4 + e / 2 % 2 * 8;
    int column = e / 4 * 8 + 2 * (lane % 4) + e % 2;
    for (int k = 0; k < 16; k++)
      c[e] = fma(element_of(product->a, row, product->k + k, A_ACROSS),
                 element_of(product->b, column, product->k + k, B_ACROSS), c[e]);
  }
}

INLINE void wait_for_products(int open, float *c, warp_t *warp) {
  int groups = warp->product_groups;
  int end = groups > open ? warp->product_ends[(groups - open - 1) % MOST_GROUPS] : 0;
  for (; warp->products_done < end; warp->products_done++)
    make_product(c, &warp->products[warp->products_done % MOST_PRODUCTS]);
}

#endif
