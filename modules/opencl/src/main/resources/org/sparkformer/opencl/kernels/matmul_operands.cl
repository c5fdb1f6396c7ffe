// A and B of a product in local memory, a buffer of STEP elements of the inner product: A of ROWS rows,
// behind it B of COLUMNS. They lie there as they do in global memory, where a copy moves a chunk of 8
// elements that follow each other:
//
//   along    rows of STEP elements of the inner product
//   across   for each element of the inner product a row, which is one of op(A)'s columns or of
//            op(B)'s rows; 64 elements of all of these, then the next 64
//
// in both of which chunks are swapped about, by place_of in nvidia.cl.

// Whether the inner product lies across the rows of global memory: A is transposed, B is not.
#ifndef A_ACROSS
#define A_ACROSS 0
#endif
#ifndef B_ACROSS
#define B_ACROSS 0
#endif
// Whether the inner product has elements beyond the last whole STEP.
#ifndef RAGGED
#define RAGGED 1
#endif

// Chunks of 8 elements in a row of an operand that lies along.
#define CHUNKS (STEP / 8)

// Starts copying STEP elements of the inner product, of which `depth` are left, zeros beyond. Rows
// beyond the last are filled with others: nobody reads their products.
//
// count   ROWS or COLUMNS
// size    rows that there are; of an operand that lies across, elements left in a row of memory
INLINE void copy_operand(const global ushort *source, int stride, int across, int count, int size,
                         int depth, local ushort *buffer, warp_t *warp) {
  UNROLL for (int n = 0; n < (count * CHUNKS + ITEMS - 1) / ITEMS; n++) {
    int at = get_local_id(0) + n * ITEMS;
    if (count * CHUNKS % ITEMS != 0 && at >= count * CHUNKS) break;
    int k = across ? at / (count / 8) : at % CHUNKS * 8;
    int chunk = at % (count / 8), row = at / CHUNKS;
    bool there = !RAGGED || k < depth;
    ulong line = across ? (there ? k : 0) : min(row, size - 1);
    int first = across ? min(chunk * 8, size - 8) : there ? k : 0;
    int place = across ? place_across(chunk, k, STEP) : place_of(row, k / 8, CHUNKS);
    const global uint4 *from = (const global uint4 *)(source + line * stride + first);
    if (RAGGED)
      copy_async_or_zero((local uint4 *)(buffer + place), from, there, warp);
    else
      copy_async((local uint4 *)(buffer + place), from, warp);
  }
}
