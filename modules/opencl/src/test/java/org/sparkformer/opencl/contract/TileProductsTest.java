package org.sparkformer.opencl.contract;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.TileProducts;
import org.sparkformer.tensor.ops.MatMul;

/** Products by AMX's tiles against their definition, on processors without AMX too. */
class TileProductsTest {
  private static OpenClBackend backend;

  @BeforeAll
  static void open() {
    backend = OpenClBackend.open(DeviceSelector.AUTO);
    assumeTrue(
        backend.kernels().toString().contains("AVX512_BF16"),
        "tiles are packed by AVX512_BF16, which every processor with AMX has and this one has not");
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
  void agreeWithTheDefinition(OperationCase test) {
    Agreement.check(
        test,
        backend,
        operation -> {
          MatMul product = (MatMul) operation;
          if (product.m() <= 8) {
            assertTrue(!TileProducts.take(product, backend), "too few rows for a tile");
          }
          TileProducts.run(product, backend);
        });
  }
}
