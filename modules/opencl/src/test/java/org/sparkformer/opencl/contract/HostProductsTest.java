package org.sparkformer.opencl.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.HostProducts;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.OpenClException;
import org.sparkformer.opencl.kernels.HostArithmetic;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.MatMul;
import org.sparkformer.tensor.ops.Operation;

/**
 * Products by AMX, AVX512_BF16 and vectors against their definition, where the contract suite does
 * not run them: on processors without the former, and the latter two where AMX comes before them.
 */
class HostProductsTest {
  private static OpenClBackend backend;

  @BeforeAll
  static void open() {
    backend = OpenClBackend.open(DeviceSelector.AUTO);
  }

  @AfterAll
  static void close() {
    backend.close();
  }

  static Stream<Arguments> others() {
    return Stream.of(HostArithmetic.values())
        .filter(arithmetic -> !comesFirst(arithmetic))
        .flatMap(HostProductsTest::cases);
  }

  private static boolean comesFirst(HostArithmetic arithmetic) {
    boolean amx = HostArithmetic.TILES.isAvailable();
    return switch (arithmetic) {
      case SPLIT, TILES -> amx;
      case PAIRS -> arithmetic.isAvailable() && !amx;
      case FP32 -> !amx;
    };
  }

  private static Stream<Arguments> cases(HostArithmetic arithmetic) {
    boolean rounds = arithmetic == HostArithmetic.PAIRS || arithmetic == HostArithmetic.TILES;
    Stream<OperationCase> cases = rounds ? MatMulCases.rounding() : MatMulCases.ofFloats();
    return cases.map(test -> arguments(arithmetic, test));
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("others")
  void thoseThatTheContractSuiteLeavesOutAgreeWithTheDefinition(
      HostArithmetic arithmetic, OperationCase test) {
    HostProducts products = new HostProducts(arithmetic, backend);
    Consumer<Operation> run = operation -> products.run((MatMul) operation);
    if (arithmetic == HostArithmetic.SPLIT) {
      Agreement.checkSums(test, backend, run);
    } else {
      Agreement.check(test, backend, run);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"TILES", "SPLIT"})
  void tilesAreForMoreThanHalfOfTheirRows(HostArithmetic arithmetic) {
    HostProducts tiles = new HostProducts(arithmetic, backend);
    DType operands = arithmetic == HostArithmetic.SPLIT ? DType.FLOAT32 : DType.BFLOAT16;
    assertEquals(
        List.of(false, true),
        Stream.of(8, 9).map(rows -> tiles.take(product(rows).with(operands))).toList());
  }

  @ParameterizedTest
  @EnumSource(names = {"TILES", "SPLIT"})
  void tilesAreProvenByAProductThatHasToBeRight(HostArithmetic arithmetic) {
    HostProducts tiles = new HostProducts(arithmetic, backend);
    tiles.prove(backend);
    String message =
        assertThrows(OpenClException.class, () -> tiles.prove(wrongInOneElement())).getMessage();
    assertTrue(message.contains("AMX"), message);
  }

  /** Two parts for three would be further from it by two orders of magnitude. */
  @ParameterizedTest
  @ValueSource(ints = {64, 768, 3072})
  void sumsOfPartsLieNearerToTheTruthThanAChainInFp32(int k) {
    double parts = meanSquaredError(HostArithmetic.SPLIT, k);
    double chain = meanSquaredError(HostArithmetic.FP32, k);
    assertTrue(parts < chain, () -> parts + " of parts, " + chain + " of a chain");
  }

  private static double meanSquaredError(HostArithmetic arithmetic, int k) {
    OperationCase test =
        MatMulCases.of(
            new MatMulCases.Extents(1, 64, 64, k), false, false, MatMulCases.Epilogue.NONE);
    try (Workspace workspace = new Workspace(backend)) {
      MatMul product = (MatMul) test.factory().apply(workspace);
      new HostProducts(arithmetic, backend).run(product);
      float[] sums = backend.readFloats(product.c());
      DoubleSums.run(product, backend);
      float[] truth = backend.readFloats(product.c());
      return IntStream.range(0, sums.length)
          .mapToDouble(i -> Math.pow(sums[i] - (double) truth[i], 2))
          .average()
          .orElseThrow();
    }
  }

  /** What lies beyond the largest bf16 is finite, and what is not finite comes out so. */
  @Test
  void theLargestFloatsAreMultiplied() {
    float[] result = splitProductOf(Float.MAX_VALUE, -0x1p-100f);
    assertEquals(-0x1p-100f * Float.MAX_VALUE, result[0]);
    assertTrue(Float.isNaN(splitProductOf(Float.POSITIVE_INFINITY, 1)[0]));
    assertTrue(Float.isNaN(splitProductOf(Float.NaN, 1)[0]));
  }

  /** Of one element each, in a row of 16 of whose elements the others are 0. */
  private static float[] splitProductOf(float left, float right) {
    try (Tensor a = backend.floats(16, 1);
        Tensor b = backend.floats(1, 1);
        Tensor c = backend.floats(16, 1)) {
      float[] column = new float[16];
      column[0] = left;
      backend.write(a, column);
      backend.write(b, new float[] {right});
      new HostProducts(HostArithmetic.SPLIT, backend).run(MatMul.of(a, b, c, false, false));
      return backend.readFloats(c);
    }
  }

  /** The backend, whose results come back with one element changed. */
  private static Backend wrongInOneElement() {
    return (Backend)
        Proxy.newProxyInstance(
            Backend.class.getClassLoader(),
            new Class<?>[] {Backend.class},
            (proxy, method, arguments) -> {
              Object result = method.invoke(backend, arguments);
              if (result instanceof float[] values) {
                values[values.length - 1]++;
              }
              return result;
            });
  }

  private static MatMul product(int rows) {
    try (Tensor a = backend.floats(rows, 32);
        Tensor b = backend.floats(32, 16);
        Tensor c = backend.floats(rows, 16)) {
      return MatMul.of(a, b, c, false, false);
    }
  }
}
