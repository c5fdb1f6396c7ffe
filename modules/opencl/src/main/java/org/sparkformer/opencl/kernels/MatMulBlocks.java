package org.sparkformer.opencl.kernels;

import java.util.HashMap;
import java.util.Map;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.tensor.ops.MatMul;

/**
 * How {@code matmul.cl} divides a product: tiles in registers, blocks in a work-group's local
 * memory. None of it changes the bits of the result.
 *
 * @param vector VW, fp32 elements of a vector
 * @param tileRows MR
 * @param tileVectors NV
 * @param arithmetic what panels are made for
 * @param depth KC, steps of the inner product that a block copies at a time
 * @param rows of C in a block, a multiple of MR
 * @param columns of C in a block, a multiple of NR = NV VW
 */
record MatMulBlocks(
    int vector,
    int tileRows,
    int tileVectors,
    HostArithmetic arithmetic,
    int depth,
    int rows,
    int columns) {
  /** Blocks a compute unit should get, so that none waits long for the last. */
  private static final int BLOCKS_A_UNIT = 4;

  /** The same where C is narrow, and packing takes more of the time the smaller the blocks are. */
  private static final int BLOCKS_A_UNIT_IF_NARROW = 2;

  private static final int FEW_ROWS = 96;
  private static final int LARGEST_ROWS = 516;
  private static final int LARGEST_COLUMNS = 384;
  private static final int SMALLEST_DEPTH = 32;

  /** Rows, columns and words of depth of AMX's registers. */
  static final int TILE = 16;

  private static final int TILE_DEPTH = 512;

  /** Beyond the depth, words of a row of a panel of A. */
  private static final int ROW_PADDING = 16;

  /** For a product. */
  static MatMulBlocks of(
      MatMul product, HostArithmetic arithmetic, DeviceInfo device, Map<String, Integer> tunables) {
    int m = product.m();
    int n = product.n();
    MatMulBlocks largest =
        arithmetic == HostArithmetic.TILES
            ? ofTiles()
            : ofVectors(m, n, arithmetic, Vectors.width(device), tunables);
    boolean narrow = largest.tileVectors == 1 || m < FEW_ROWS;
    int blocksAUnit = narrow ? BLOCKS_A_UNIT_IF_NARROW : BLOCKS_A_UNIT;
    return largest
        .divided(m, n)
        .shared(m, n, Vectors.count(blocksAUnit * device.computeUnits(), product.batch()));
  }

  /** Two by two registers of sums; the depth is one that halves into whole registers. */
  private static MatMulBlocks ofTiles() {
    return new MatMulBlocks(
        TILE, 2 * TILE, 2, HostArithmetic.TILES, TILE_DEPTH, LARGEST_ROWS, LARGEST_COLUMNS);
  }

  private static MatMulBlocks ofVectors(
      int m, int n, HostArithmetic arithmetic, int vector, Map<String, Integer> tunables) {
    boolean single = hasSingleVectors(n, vector);
    int tileVectors = single ? 1 : tunables.getOrDefault("NV", 2);
    int tileRows = tunables.getOrDefault("MR", vector == 16 ? rowsOf16(m, single) : 6);
    int depth = arithmetic.step() * tunables.getOrDefault("KC", 384);
    return new MatMulBlocks(
        vector, tileRows, tileVectors, arithmetic, depth, LARGEST_ROWS, LARGEST_COLUMNS);
  }

  /**
   * Whether columns are few vectors and an odd number of them, of which single ones waste least.
   */
  private static boolean hasSingleVectors(int n, int vector) {
    int vectors = Vectors.count(n, vector);
    return vectors % 2 == 1 && vectors < 8;
  }

  /**
   * MR for vectors of 16 elements: what divides powers of two where single vectors leave registers;
   * else 12, or for few rows up to 14 where fewer of a last tile are empty.
   */
  private static int rowsOf16(int m, boolean single) {
    if (single) {
      return 16;
    }
    int best = 12;
    for (int rows = best + 1; rows <= 14 && m < FEW_ROWS; rows++) {
      best = Vectors.count(m, rows) * rows < Vectors.count(m, best) * best ? rows : best;
    }
    return best;
  }

  /** The macros of the program. */
  Map<String, Integer> macros() {
    Map<String, Integer> macros = new HashMap<>();
    macros.put("VW", vector);
    macros.put("MR", tileRows);
    macros.put("NV", tileVectors);
    macros.put("KC", depth);
    macros.put("PAIRS", arithmetic.step() - 1);
    if (arithmetic == HostArithmetic.TILES) {
      macros.put("TILES", 1);
      macros.put("AMX", arithmetic.isAvailable() ? 1 : 0);
    }
    return macros;
  }

  /** Bytes of the panels of A. */
  long bytesOfA() {
    return (long) rows * (depth / arithmetic.step() + ROW_PADDING) * Float.BYTES;
  }

  /** Bytes of the panels of B. */
  long bytesOfB() {
    return (long) columns * (depth / arithmetic.step()) * Float.BYTES;
  }

  /** Blocks whose copies fit so many bytes of local memory: halved until they do. */
  MatMulBlocks inLocalMemory(MatMul product, ReadyOperands ready, long local) {
    if (ready.bytesOfCopies(this) <= local) {
      return this;
    }
    MatMulBlocks smaller = halved(product.m(), product.n());
    if (smaller.equals(this)) {
      smaller = with(depth / 2, rows, columns);
    }
    if (smaller.depth < SMALLEST_DEPTH) {
      throw new IllegalArgumentException(
          "matmul.cl: no block fits " + local + " bytes of local memory; lower MR or NV");
    }
    return smaller.inLocalMemory(product, ready, local);
  }

  /** How many blocks use the same part of A. */
  int usesOfA(MatMul product) {
    return Vectors.count(product.n(), columns);
  }

  /** How many blocks use the same part of B. */
  int usesOfB(MatMul product) {
    return Vectors.count(product.m(), rows);
  }

  /** Words of the panels of a whole A. */
  long wordsOfReadyA(MatMul product) {
    long tiles = Vectors.count(product.m(), tileRows);
    return tiles * tileRows * chunks(product) * (depth / arithmetic.step() + ROW_PADDING);
  }

  /** Words of the panels of a whole B. */
  long wordsOfReadyB(MatMul product) {
    long tiles = Vectors.count(product.n(), tileColumns());
    return tiles * tileColumns() * chunks(product) * (depth / arithmetic.step());
  }

  /** Times that a block of full depth is needed. */
  int chunks(MatMul product) {
    return Vectors.count(product.k(), depth);
  }

  int tileColumns() {
    return tileVectors * vector;
  }

  private MatMulBlocks divided(int m, int n) {
    return with(depth, even(m, rows, tileRows), even(n, columns, tileColumns()));
  }

  /** The size of equal pieces of at most {@code most}, in whole tiles. */
  private static int even(int size, int most, int tile) {
    int pieces = Vectors.count(size, most);
    return Vectors.count(Vectors.count(size, pieces), tile) * tile;
  }

  private MatMulBlocks shared(int m, int n, int wanted) {
    long blocks = (long) Vectors.count(m, rows) * Vectors.count(n, columns);
    MatMulBlocks smaller = halved(m, n);
    return blocks >= wanted || smaller.equals(this) ? this : smaller.shared(m, n, wanted);
  }

  /** The longer side halved; a side has at least two tiles, as copies pay by reuse. */
  private MatMulBlocks halved(int m, int n) {
    boolean canRows = rows > 2 * tileRows;
    boolean canColumns = columns > 2 * tileColumns();
    if (canRows && (rows >= columns || !canColumns)) {
      return with(depth, even(m, Vectors.count(rows, 2), tileRows), columns);
    }
    return canColumns ? with(depth, rows, even(n, Vectors.count(columns, 2), tileColumns())) : this;
  }

  private MatMulBlocks with(int newDepth, int newRows, int newColumns) {
    return new MatMulBlocks(
        vector, tileRows, tileVectors, arithmetic, newDepth, newRows, newColumns);
  }
}
