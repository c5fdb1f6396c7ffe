// Matrix product C = op(A) op(B) (+ C) (+ bias), activated = GELU(C), of operands rounded to bf16,
// with fp32 sums, by matrix instructions. C, bias, activated and the macros as in matmul.cl. The file
// that includes this one says by which instructions: see below.
//
// An operand that is bf16 and has rows of whole chunks of 8 is multiplied as it lies, transposed or not.
// Another is first rounded to such rows in scratch memory, by `pack`, which reads and writes 6 bytes an
// element, 4 where it is bf16 already (SOURCE_BF16). Copies of 16 bytes need no registers, and what is
// transposed costs nothing more: the instructions take both (matmul_operands.cl).
//
// A work-group computes a tile of ROWS x COLUMNS elements of C, each of its warps WARP_ROWS x
// WARP_COLUMNS of them in registers. STEP of the inner product at a time pass through one of STAGES
// buffers in local memory, AHEAD of them on their way (as CUTLASS's multistage pipeline: Thakkar et
// al., CUTLASS 2.x, mma_multistage). In a buffer a row's chunks of 8 elements are swapped about, by
// place_of in nvidia.cl. The tile leaves through local memory too: a warp's registers hold 8 bytes of a
// row here and there, memory wants whole lines of it.
//
// Every element is one chain over rising k, 16 at a time, in which the order within 16 is the
// instruction's own, and then what C held: no tunable changes a bit on one kind of device.
//
// The file that includes this one defines MATMUL, the kernel's name, the tunables and
//   AHEAD               steps that are copied before they are needed;
//   publish_copies      after a wait for copies, before the barrier;
//   multiply_stage      adds the products of a buffer to the warp's tile, 16 x 8 elements of it in
//                       each of c's innermost;
//   finish_products     after which c holds the sums.

#ifndef BAND
#define BAND 8
#endif
#ifndef SOURCE_BF16
#define SOURCE_BF16 0
#endif

#include "product.cl"
#include "elements.cl"
#include "gelu.cl"

#define PACK_ITEMS 128 // share a row of a source

// Rows of `words` words, two elements each, the last of them 0 where the source has fewer `columns`; its
// rows lie `width` apart.
kernel __attribute__((reqd_work_group_size(PACK_ITEMS, 1, 1)))
void pack(const global ELEMENT(SOURCE_BF16) *source, long source_first, global uint *packed,
          long packed_first, int columns, int width, int words) {
  source += source_first + (ulong)get_group_id(0) * width;
  packed += packed_first + (ulong)get_group_id(0) * words;
  UNROLL_SOME for (int word = get_local_id(0); word < words; word += PACK_ITEMS) {
    int at = 2 * word;
    float low = at < columns ? VALUE(SOURCE_BF16, source[at]) : 0.0f;
    float high = at + 1 < columns ? VALUE(SOURCE_BF16, source[at + 1]) : 0.0f;
    packed[word] = bfloat16_pair(low, high);
  }
}

// What leaves the kernel where its sum stands: four elements of a row of C at a time, or one.
#define TYPE4_0 float4
#define TYPE4_1 ushort4
#define TYPE4(bf16) BY_TYPE(TYPE4_, bf16)
#define VALUES4_0(x) (x)
#define VALUES4_1(x)                                                       \
  (ushort4)(element_of1((x).s0), element_of1((x).s1), element_of1((x).s2), \
            element_of1((x).s3))
#define VALUES4(bf16, x) BY_TYPE(VALUES4_, bf16)(x)

INLINE void put_four(float4 sum, ulong at, const global float *bias, global ELEMENT(C_BF16) *C,
                     global ELEMENT(ACTIVATED_BF16) *activated) {
#if ACCUMULATE
  sum += *(const global float4 *)(C + at);
#endif
  if (BIAS) sum += vload4(0, bias);
  *(global TYPE4(C_BF16) *)(C + at) = VALUES4(C_BF16, sum);
  if (GELU) {
    float4 y = (float4)(gelu(sum.s0), gelu(sum.s1), gelu(sum.s2), gelu(sum.s3));
    *(global TYPE4(ACTIVATED_BF16) *)(activated + at) = VALUES4(ACTIVATED_BF16, y);
  }
}

INLINE void put_one(float sum, ulong at, const global float *bias, global ELEMENT(C_BF16) *C,
                    global ELEMENT(ACTIVATED_BF16) *activated) {
  if (ACCUMULATE) sum += VALUE(C_BF16, C[at]);
  if (BIAS) sum += *bias;
  C[at] = ELEMENT_OF(C_BF16, sum);
  if (GELU) activated[at] = ELEMENT_OF(ACTIVATED_BF16, gelu(sum));
}

// The sums of the parts of C, in their order, and what else C is asked for.
#define COMBINE_ITEMS 256
kernel __attribute__((reqd_work_group_size(COMBINE_ITEMS, 1, 1)))
void combine(const global float *parts, long parts_first, global ELEMENT(C_BF16) *C, long C_first,
             const global float *bias, long bias_first, global ELEMENT(ACTIVATED_BF16) *activated,
             long activated_first, long size, int N, int C_stride, int count) {
  long at = get_global_id(0);
  if (at >= size) return;
  float sum = parts[parts_first + at];
  UNROLL_SOME for (int part = 1; part < count; part++) sum += parts[parts_first + part * size + at];
  put_one(sum, at / N * C_stride + at % N, bias + bias_first + at % N, C + C_first,
          activated + activated_first);
}

#define EACH_ELEMENT                                              \
  UNROLL for (int i = 0; i < WARP_ROWS / 16; i++)                 \
    UNROLL for (int j = 0; j < WARP_COLUMNS / 8; j++)             \
      UNROLL for (int e = 0; e < 4; e++)

// 16 rows of a warp's tile in local memory, each with room behind it, so that the lanes that hold one
// column write to banks of their own.
#define PITCH (WARP_COLUMNS + 8)
#define BUFFER ((ROWS + COLUMNS) * STEP)
#define SHEETS (ITEMS / WARP * 16 * PITCH * 2)
#define LOCAL_WORDS (STAGES * BUFFER > SHEETS ? STAGES * BUFFER : SHEETS)

// A_batch and B_batch are elements from one matrix to the next, A_stride and B_stride from one row of
// memory to the next, both whole chunks; C_stride of C. Work-groups: the tiles of C on axis 0; parts of
// the inner product, part_depth of it each and a C of all the batch each, on axis 1; the batch on axis 2.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void MATMUL(const global ushort *A, long A_first, const global ushort *B, long B_first,
            global ELEMENT(C_BF16) *C, long C_first, const global float *bias,
            long bias_first, global ELEMENT(ACTIVATED_BF16) *activated,
            long activated_first, long A_batch, long B_batch, int A_stride, int B_stride, int M,
            int N, int K, int C_stride, int part_depth) {
  local ushort stages[LOCAL_WORDS] __attribute__((aligned(1024)));
  WARP_STATE(warp);
  ulong batch = get_group_id(2), part = get_group_id(1) * get_num_groups(2) + batch;
  int skipped = get_group_id(1) * part_depth;
  int tiles_down = (M + ROWS - 1) / ROWS, tiles_across = (N + COLUMNS - 1) / COLUMNS;
  int tile = get_group_id(0), first = tile / (BAND * tiles_across) * BAND;
  int height = min(BAND, tiles_down - first), place = tile - first * tiles_across;
  int row = (first + place % height) * ROWS, column = place / height * COLUMNS;
  A += A_first + batch * A_batch + (A_ACROSS ? (ulong)row : (ulong)row * A_stride);
  B += B_first + batch * B_batch + (B_ACROSS ? (ulong)column : (ulong)column * B_stride);
  A += (ulong)skipped * (A_ACROSS ? A_stride : 1);
  B += (ulong)skipped * (B_ACROSS ? B_stride : 1);
  K = min(K - skipped, part_depth);
  int A_size = (A_ACROSS ? A_stride : M) - row, B_size = (B_ACROSS ? B_stride : N) - column;
  ulong A_step = (ulong)STEP * (A_ACROSS ? A_stride : 1);
  ulong B_step = (ulong)STEP * (B_ACROSS ? B_stride : 1);

  int number = get_local_id(0) / WARP, lane = get_local_id(0) % WARP;
  float c[WARP_ROWS / 16][WARP_COLUMNS / 8][4];
  EACH_ELEMENT c[i][j][e] = 0.0f;
  int steps = (K + STEP - 1) / STEP;
  UNROLL for (int n = 0; n < AHEAD; n++) {
    local ushort *buffer = stages + n * BUFFER;
    if (n < steps) {
      copy_operand(A + n * A_step, A_stride, A_ACROSS, ROWS, A_size, K - n * STEP, buffer, warp);
      copy_operand(B + n * B_step, B_stride, B_ACROSS, COLUMNS, B_size, K - n * STEP,
                   buffer + ROWS * STEP, warp);
    }
    commit_copies(warp);
  }
  for (int n = 0; n < steps; n++) {
    WAIT_FOR_COPIES(AHEAD - 1, warp);
    publish_copies(warp);
    // Also: all warps are done with the buffer that is filled next.
    barrier(CLK_LOCAL_MEM_FENCE);
    int next = n + AHEAD;
    if (next < steps) {
      local ushort *buffer = stages + next % STAGES * BUFFER;
      copy_operand(A + next * A_step, A_stride, A_ACROSS, ROWS, A_size, K - next * STEP, buffer, warp);
      copy_operand(B + next * B_step, B_stride, B_ACROSS, COLUMNS, B_size, K - next * STEP,
                   buffer + ROWS * STEP, warp);
    }
    commit_copies(warp);
    multiply_stage(stages + n % STAGES * BUFFER, number, c, warp);
  }
  finish_products(c, warp);

  local float *sheet = (local float *)stages + number * 16 * PITCH;
  int top = row + number / WARPS_ACROSS * WARP_ROWS;
  int left = column + number % WARPS_ACROSS * WARP_COLUMNS, columns = N - left;
  C += C_first + part * M * C_stride;
  activated += activated_first + part * M * C_stride;
  bias += bias_first + left;
  bool fours = C_stride % 4 == 0 && C_first % 4 == 0 && (!GELU || activated_first % 4 == 0);
  UNROLL for (int i = 0; i < WARP_ROWS / 16; i++) {
    // All warps are done with the buffers, or with their sheets.
    barrier(CLK_LOCAL_MEM_FENCE);
    UNROLL for (int j = 0; j < WARP_COLUMNS / 8; j++)
      UNROLL for (int e = 0; e < 4; e++)
        sheet[(lane / 4 + e / 2 * 8) * PITCH + 8 * j + 2 * (lane % 4) + e % 2] = c[i][j][e];
    barrier(CLK_LOCAL_MEM_FENCE);
    int rows = M - top - 16 * i;
    ulong corner = (ulong)(top + 16 * i) * C_stride + left;
    if (fours) {
      UNROLL_SOME for (int at = 4 * lane; at < 16 * WARP_COLUMNS; at += 4 * WARP) {
        int r = at / WARP_COLUMNS, s = at % WARP_COLUMNS;
        ulong to = corner + (ulong)r * C_stride + s;
        if (r < rows && s + 4 <= columns)
          put_four(vload4(0, sheet + r * PITCH + s), to, bias + s, C, activated);
        else if (r < rows)
          for (int t = 0; t < columns - s; t++)
            put_one(sheet[r * PITCH + s + t], to + t, bias + s + t, C, activated);
      }
    } else {
      UNROLL_SOME for (int at = lane; at < 16 * WARP_COLUMNS; at += WARP) {
        int r = at / WARP_COLUMNS, s = at % WARP_COLUMNS;
        if (r < rows && s < columns)
          put_one(sheet[r * PITCH + s], corner + (ulong)r * C_stride + s, bias + s, C, activated);
      }
    }
  }
}
