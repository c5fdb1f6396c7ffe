package org.sparkformer.opencl;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.ops.MatMul;
import org.sparkformer.tensor.reference.JavaBackend;

/** The sizes are those by which AMX's tiles and tensor cores are proven, and the doctor's. */
class ProductCheckTest {
  @ParameterizedTest
  @CsvSource({"40, 35, 70", "200, 150, 330", "37, 53, 41"})
  void onlyTheProductIsRight(int m, int n, int k) {
    ProductCheck check = new ProductCheck(m, n, k);
    try (Backend backend = new JavaBackend()) {
      assertTrue(check.isRight(backend, backend::run));
      assertFalse(
          check.isRight(backend, product -> backend.write(product.c(), new float[m * n])),
          "all zero");
      assertFalse(
          check.isRight(backend, product -> run(backend, product, product.b().columns(), 1)),
          "two rows of B exchanged");
      assertFalse(
          check.isRight(backend, product -> run(backend, product, 1, product.b().columns())),
          "two columns of B exchanged");
    }
  }

  @Test
  void aProductThatIsNotWrittenIsWrong() {
    try (Backend backend = new JavaBackend()) {
      assertFalse(new ProductCheck(3, 2, 1).isRight(backend, product -> {}));
    }
  }

  /**
   * With the first two rows or columns of B exchanged.
   *
   * @param apart elements from the first to the second
   * @param step elements from one of a row or column to the next
   */
  private static void run(Backend backend, MatMul product, int apart, int step) {
    float[] b = backend.readFloats(product.b());
    int count = step == 1 ? product.b().columns() : product.b().rows();
    for (int i = 0; i < count; i++) {
      float first = b[i * step];
      b[i * step] = b[i * step + apart];
      b[i * step + apart] = first;
    }
    backend.write(product.b(), b);
    backend.run(product);
  }
}
