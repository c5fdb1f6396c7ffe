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
  /** So many blocks for each compute unit that unequal shares of them do not matter. */
  private static final int MANY_BLOCKS_A_UNIT = 4;

  /** Multiply-adds, some 20 microseconds of them, in which a unit may be late for its share. */
  private static final long LITTLE_WORK = 10_000_000;

  private static final int FEW_ROWS = 96;
  private static final int LARGEST_ROWS = 516;
  private static final int STRIP_COLUMNS = 128;
  private static final int SMALLEST_DEPTH = 32;

  /** Vectors of sums in a tile, of 32 registers, and at most. */
  private static final int SUMS_OF_16 = 24;

  private static final int MOST_SUMS_OF_16 = 28;

  /** Rows, columns and words of depth of AMX's registers. */
  static final int TILE = 16;

  /** Columns of a B that is too large to be packed first, so that every block of rows packs it. */
  private static final int MANY_COLUMNS = 8192;

  /** Beyond the depth, words of a row of a panel of A. */
  private static final int ROW_PADDING = 16;

  /** For a product: as large as caches allow, as many as the device's units share equally. */
  static MatMulBlocks of(
      MatMul product, HostArithmetic arithmetic, DeviceInfo device, Map<String, Integer> tunables) {
    MatMulBlocks whole =
        arithmetic.isOfTiles()
            ? ofTiles(product, arithmetic, tunables)
            : ofVectors(product, arithmetic, Vectors.width(device), tunables);
    int rows = mostRows(product, arithmetic, tunables);
    return whole.divided(product, rows).shared(product, device.computeUnits());
  }

  /** Two by two registers of sums, in which an element stays for as many steps as can be. */
  private static MatMulBlocks ofTiles(
      MatMul product, HostArithmetic arithmetic, Map<String, Integer> tunables) {
    int depth = even(product.k(), tunables.get("KC"), depthUnit(arithmetic));
    return new MatMulBlocks(TILE, 2 * TILE, 2, arithmetic, depth, product.m(), product.n());
  }

  /** Of parts of fp32 low blocks, but twice as high ones where each of them packs B. */
  private static int mostRows(
      MatMul product, HostArithmetic arithmetic, Map<String, Integer> tunables) {
    boolean doubled = arithmetic == HostArithmetic.SPLIT && product.n() > MANY_COLUMNS;
    return tunables.getOrDefault("ROWS", LARGEST_ROWS) * (doubled ? 2 : 1);
  }

  /** Steps of which a depth is made up. */
  private static int depthUnit(HostArithmetic arithmetic) {
    return arithmetic.step() * (arithmetic.isOfTiles() ? TILE : 1);
  }

  private static MatMulBlocks ofVectors(
      MatMul product, HostArithmetic arithmetic, int vector, Map<String, Integer> tunables) {
    int few = fewVectors(product.n(), vector);
    int tileVectors = few > 0 ? few : tileVectors(product.n(), vector, tunables);
    int tileRows =
        few > 0 ? tileRows(vector, few) : tileRows(product.m(), vector, tileVectors, tunables);
    int depth = arithmetic.step() * tunables.getOrDefault("KC", 384);
    return new MatMulBlocks(
        vector, tileRows, tileVectors, arithmetic, depth, product.m(), product.n());
  }

  /**
   * NV where columns are few vectors and an odd number of them, so that tiles of two would compute
   * one in vain: all of them where there are 32 registers, else one. 0 for other columns.
   */
  private static int fewVectors(int n, int vector) {
    int vectors = Vectors.count(n, vector);
    boolean few = vectors % 2 == 1 && vectors < 8;
    return few ? (vector == 16 ? vectors : 1) : 0;
  }

  /**
   * NV: three, which load less for each multiply-add, where there are 32 registers and hardly a
   * column is computed in vain; else two.
   */
  private static int tileVectors(int n, int vector, Map<String, Integer> tunables) {
    int vectors = Vectors.count(n, vector);
    boolean three =
        vector == 16
            && !tunables.containsKey("MR")
            && 3 * Vectors.count(vectors, 3) <= 2 * Vectors.count(vectors, 2) + vectors / 64;
    return tunables.getOrDefault("NV", three ? 3 : 2);
  }

  private static int tileRows(int vector, int tileVectors) {
    return vector == 16 ? SUMS_OF_16 / tileVectors : 6;
  }

  /** MR; for few rows some more where fewer of a last tile are empty. */
  private static int tileRows(int m, int vector, int tileVectors, Map<String, Integer> tunables) {
    int best = tileRows(vector, tileVectors);
    int most = vector == 16 && m < FEW_ROWS ? MOST_SUMS_OF_16 / tileVectors : best;
    for (int rows = best + 1; rows <= most; rows++) {
      best = Vectors.count(m, rows) * rows < Vectors.count(m, best) * best ? rows : best;
    }
    return tunables.getOrDefault("MR", best);
  }

  /** The macros of the program. */
  Map<String, Integer> macros() {
    Map<String, Integer> macros = new HashMap<>();
    macros.put("VW", vector);
    macros.put("MR", tileRows);
    macros.put("NV", tileVectors);
    macros.put("KC", depth);
    if (arithmetic.isOfTiles()) {
      macros.put("AMX", arithmetic.isAvailable() ? 1 : 0);
    }
    // What else those of tiles are stands in their files.
    if (arithmetic == HostArithmetic.PAIRS) {
      macros.put("PAIRS", 1);
    }
    if (arithmetic == HostArithmetic.PAIRS || arithmetic == HostArithmetic.TILES) {
      macros.put("AVX512_BF16", HostArithmetic.PAIRS.isAvailable() ? 1 : 0);
    }
    return macros;
  }

  /** Bytes of the panels of A. */
  long bytesOfA() {
    return (long) rows * (arithmetic.words(depth) + ROW_PADDING) * Float.BYTES;
  }

  /** Bytes of the panels of a strip of B. */
  long bytesOfB() {
    return (long) stripColumns() * arithmetic.words(depth) * Float.BYTES;
  }

  /** Columns of B whose panels are made at a time, in whole panels. */
  int stripColumns() {
    return Math.min(columns, Math.max(1, STRIP_COLUMNS / tileColumns()) * tileColumns());
  }

  /**
   * Blocks whose copies fit so many bytes of local memory: halved in rows or depth until they do.
   */
  MatMulBlocks inLocalMemory(MatMul product, ReadyOperands ready, long local) {
    if (ready.bytesOfCopies(this) <= local) {
      return this;
    }
    boolean canRows = rows > tileRows;
    if (!canRows && depth / 2 < SMALLEST_DEPTH) {
      throw new IllegalArgumentException(
          "matmul.cl: no block fits " + local + " bytes of local memory; lower MR or NV");
    }
    MatMulBlocks smaller =
        canRows && (rows >= arithmetic.words(depth) || depth / 2 < SMALLEST_DEPTH)
            ? with(depth, even(product.m(), Vectors.count(rows, 2), tileRows), columns)
            : with(even(depth, Vectors.count(depth, 2), depthUnit(arithmetic)), rows, columns);
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
    return tiles * tileRows * chunks(product) * (arithmetic.words(depth) + ROW_PADDING);
  }

  /** Words of the panels of a whole B. */
  long wordsOfReadyB(MatMul product) {
    long tiles = Vectors.count(product.n(), tileColumns());
    return tiles * tileColumns() * chunks(product) * arithmetic.words(depth);
  }

  /** Whether sums have to wait in memory that C, which is bf16, cannot be. */
  boolean keepsSums(MatMul product) {
    boolean inRegisters = arithmetic.isOfTiles() && chunks(product) == 1;
    return Elements.isBfloat16(product.c()) && !inRegisters;
  }

  /** Times that a block of full depth is needed. */
  int chunks(MatMul product) {
    return Vectors.count(product.k(), depth);
  }

  int tileColumns() {
    return tileVectors * vector;
  }

  private MatMulBlocks divided(MatMul product, int mostRows) {
    int n = product.n();
    return with(depth, even(product.m(), mostRows, tileRows), even(n, n, tileColumns()));
  }

  /** The size of equal pieces of at most {@code most}, in whole tiles. */
  private static int even(int size, int most, int tile) {
    int pieces = Vectors.count(size, most);
    return Vectors.count(Vectors.count(size, pieces), tile) * tile;
  }

  private MatMulBlocks shared(MatMul product, int units) {
    long blocks = (long) usesOfA(product) * usesOfB(product) * product.batch();
    boolean little = (long) product.m() * product.n() * product.k() < LITTLE_WORK;
    boolean equally = !little && blocks % units == 0;
    MatMulBlocks smaller = halved(product.m(), product.n());
    return equally || blocks >= (long) MANY_BLOCKS_A_UNIT * units || smaller.equals(this)
        ? this
        : smaller.shared(product, units);
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
