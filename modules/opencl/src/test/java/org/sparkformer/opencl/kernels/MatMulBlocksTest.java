package org.sparkformer.opencl.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.tensor.ops.MatMul;
import org.sparkformer.tensor.reference.JavaBackend;

/** What the contract suite's sizes are chosen for: each way to divide a product is among them. */
class MatMulBlocksTest {
  private static final long LOCAL = 1 << 20;

  private static DeviceInfo processor(int units, int width) {
    return new DeviceInfo(
        0,
        DeviceInfo.Kind.CPU,
        new DeviceInfo.Identity("name", "vendor", "platform", "driver", ""),
        units,
        width,
        new DeviceInfo.Memory(1L << 32, 1L << 30, LOCAL),
        0);
  }

  private static MatMulBlocks blocks(MatMul product, int units, int width) {
    return MatMulBlocks.of(product, HostArithmetic.FP32, processor(units, width), Map.of());
  }

  private static MatMul product(JavaBackend java, int m, int n, int k) {
    return MatMul.of(java.floats(m, k), java.floats(k, n), java.floats(m, n), false, false);
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 8, 16})
  void eightUnitsHaveTheOperandsOfLargeProductsPackedFirst(int width) {
    try (JavaBackend java = new JavaBackend()) {
      assertEquals(
          List.of(
              new ReadyOperands(true, false),
              new ReadyOperands(false, true),
              new ReadyOperands(true, true)),
          Stream.of(
                  product(java, 101, 1931, 801),
                  product(java, 2101, 131, 801),
                  product(java, 2101, 1931, 17))
              .map(product -> ReadyOperands.of(product, blocks(product, 8, width)))
              .toList());
    }
  }

  @Test
  void anOddNumberOfVectorsIsATileWhereThereAreTheRegisters() {
    try (JavaBackend java = new JavaBackend()) {
      assertEquals(
          List.of(1, 3, 5, 7),
          Stream.of(7, 33, 65, 97)
              .map(n -> blocks(product(java, 61, n, 33), 2, 16).macros().get("NV"))
              .toList());
      for (int width : List.of(4, 8)) {
        assertEquals(1, blocks(product(java, 61, 19, 127), 2, width).macros().get("NV"));
      }
    }
  }

  @Test
  void threeVectorsAreATileWhereHardlyAColumnIsComputedInVain() {
    assertEquals(List.of(3, 8), tile(129, 16, Map.of()));
    assertEquals(List.of(3, 8), tile(384, 16, Map.of()));
    assertEquals(List.of(3, 8), tile(50_257, 16, Map.of()));
    assertEquals(List.of(2, 12), tile(128, 16, Map.of()));
    assertEquals(List.of(2, 12), tile(1024, 16, Map.of()));
    assertEquals(List.of(2, 6), tile(384, 8, Map.of()));
    assertEquals(List.of(2, 10), tile(384, 16, Map.of("MR", 10)));
    assertEquals(List.of(3, 8), tile(1024, 16, Map.of("NV", 3)));
  }

  /** Vectors and rows of a tile for many rows and so many columns. */
  private static List<Integer> tile(int n, int width, Map<String, Integer> tuned) {
    try (JavaBackend java = new JavaBackend()) {
      DeviceInfo device = processor(2, width);
      MatMulBlocks blocks =
          MatMulBlocks.of(product(java, 120, n, 33), HostArithmetic.FP32, device, tuned);
      return List.of(blocks.tileVectors(), blocks.tileRows());
    }
  }

  /** Rows of a block and steps of its depth, of fp32 by AMX. */
  @Test
  void tilesMakeBlocksOfAsMuchAsIsTuned() {
    Map<String, Integer> builtIn = Map.of("ROWS", 258, "KC", 512);
    Map<String, Integer> tuned = Map.of("ROWS", 130, "KC", 256);
    assertEquals(List.of(256, 512), ofParts(768, builtIn));
    assertEquals(List.of(128, 256), ofParts(768, tuned));
    assertEquals(
        List.of(512, 512), ofParts(50_257, builtIn), "of a B too large to be packed first");
    assertEquals(List.of(256, 256), ofParts(50_257, tuned));
  }

  private static List<Integer> ofParts(int n, Map<String, Integer> tunables) {
    try (JavaBackend java = new JavaBackend()) {
      MatMul product = product(java, 2048, n, 1024);
      MatMulBlocks blocks =
          MatMulBlocks.of(product, HostArithmetic.SPLIT, processor(2, 16), tunables);
      return List.of(blocks.rows(), blocks.depth());
    }
  }

  @Test
  void littleLocalMemoryHalvesRowsAndDepth() {
    try (JavaBackend java = new JavaBackend()) {
      MatMul product = product(java, 93, 127, 900);
      MatMulBlocks largest = blocks(product, 2, 16);
      ReadyOperands none = ReadyOperands.of(product, largest);
      assertEquals(new ReadyOperands(false, false), none);
      MatMulBlocks smaller = largest.inLocalMemory(product, none, 32 << 10);
      assertTrue(none.bytesOfCopies(smaller) <= 32 << 10, smaller::toString);
      assertTrue(
          smaller.rows() < largest.rows() && smaller.depth() < largest.depth(),
          () -> largest + " became " + smaller);
    }
  }
}
