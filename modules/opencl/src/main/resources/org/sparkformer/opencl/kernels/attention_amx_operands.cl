// Operands of attention_amx.cl's products, and the way of their sums to memory.

#define STORE_WORDS(p, value) (*(local unaligned_uintV *)(p) = (value))
#define ALIGNED __attribute__((aligned(64)))

// Words of so many rows with D steps each, or of D lanes with so many steps: of panels that are whole.
#define PANELS(rows) ((rows) * WORDS(D))

// Bytes from a row of 32 columns, and of OWN, to the next.
#define COLUMN_BYTES (COLUMNS * sizeof(float))
#define OWN_BYTES (OWN * sizeof(float))

int padded_rows(int count) { return (count + 31) / 32 * 32; }

#include "attention_lanes.cl"

#define BF16 0
#include "attention_rows.cl"
#undef BF16
#define BF16 1
#include "attention_rows.cl"
#undef BF16
#define LANES_TO_ROWS(bf16) BY_TYPE(lanes_to_rows, bf16)

// The parts of a row of a register, each to its own.
void store_row(local uint *words, row_t row) {
  UNROLL for (int part = 0; part < PARTS; part++)
      STORE_WORDS(words + part * PART, next_part(part, &row));
}

// Where the pairs of rows r and r + 1 lie in a right operand of 32 columns, and row r in a left one of
// OWN steps.
#define ROW_ACROSS(r) ((r) / 32 * SQUARE + (r) / 2 % VW * VW)
#define ROW_ALONG(r) ((r) / 32 * 32 * WORDS(OWN) + (r) / VW % 2 * REGISTER + (r) % VW * VW)
