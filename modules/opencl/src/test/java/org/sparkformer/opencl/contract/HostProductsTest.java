package org.sparkformer.opencl.contract;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.HostProducts;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.kernels.HostArithmetic;
import org.sparkformer.tensor.ops.MatMul;

/** Products by AMX and AVX512_BF16 against their definition, on processors without these too. */
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

  static Stream<OperationCase> products() {
    return MatMulCases.all().filter(test -> test.name().endsWith("bf16"));
  }

  @ParameterizedTest
  @MethodSource("products")
  void thoseOfTilesAgreeWithTheDefinition(OperationCase test) {
    HostProducts tiles = new HostProducts(HostArithmetic.TILES, backend);
    Agreement.check(
        test,
        backend,
        operation -> {
          MatMul product = (MatMul) operation;
          if (product.m() <= 8) {
            assertTrue(!tiles.take(product), "too few rows for a tile");
          }
          tiles.run(product);
        });
  }

  @ParameterizedTest
  @MethodSource("products")
  void thoseOfPairsAgreeWithTheDefinition(OperationCase test) {
    assumeFalse(
        backend.kernels().toString().contains("AVX512_BF16"),
        "this processor has AVX512_BF16, with which the contract suite's products are made");
    HostProducts pairs = new HostProducts(HostArithmetic.PAIRS, backend);
    Agreement.check(test, backend, operation -> pairs.run((MatMul) operation));
  }
}
