package org.sparkformer.opencl.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.HostProducts;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.OpenClException;
import org.sparkformer.opencl.kernels.HostArithmetic;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.MatMul;

/**
 * Products by AMX and AVX512_BF16 against their definition, where the contract suite does not run
 * them: on processors without these, and AVX512_BF16's where AMX comes before it.
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
    return Stream.of(HostArithmetic.PAIRS, HostArithmetic.TILES)
        .filter(arithmetic -> !comesFirst(arithmetic))
        .flatMap(arithmetic -> MatMulCases.rounding().map(test -> arguments(arithmetic, test)));
  }

  private static boolean comesFirst(HostArithmetic arithmetic) {
    boolean afterTiles = arithmetic == HostArithmetic.PAIRS && HostArithmetic.TILES.isAvailable();
    return arithmetic.isAvailable() && !afterTiles;
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("others")
  void thoseThatTheContractSuiteLeavesOutAgreeWithTheDefinition(
      HostArithmetic arithmetic, OperationCase test) {
    HostProducts products = new HostProducts(arithmetic, backend);
    Agreement.check(test, backend, operation -> products.run((MatMul) operation));
  }

  @Test
  void tilesAreForMoreThanHalfOfTheirRows() {
    HostProducts tiles = new HostProducts(HostArithmetic.TILES, backend);
    assertEquals(
        List.of(false, true), Stream.of(8, 9).map(rows -> tiles.take(product(rows))).toList());
  }

  @Test
  void tilesAreProvenByAProductThatHasToBeRight() {
    HostProducts tiles = new HostProducts(HostArithmetic.TILES, backend);
    tiles.prove(backend);
    String message =
        assertThrows(OpenClException.class, () -> tiles.prove(wrongInOneElement())).getMessage();
    assertTrue(message.contains("AMX"), message);
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
      return MatMul.of(a, b, c, false, false).with(DType.BFLOAT16);
    }
  }
}
