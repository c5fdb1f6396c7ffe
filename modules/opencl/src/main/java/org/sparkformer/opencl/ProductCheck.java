package org.sparkformer.opencl;

import java.util.function.Consumer;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.MatMul;

/**
 * Products C = op(A) op(B) of small whole numbers, which bf16 and the sums in fp32 hold exactly,
 * against plain Java: whether a device computes rightly at all.
 *
 * @param m rows of C
 * @param n columns of C
 * @param k elements of the inner product
 */
public record ProductCheck(int m, int n, int k) {

  /**
   * Multiplies on a backend, both operands as they are and both transposed.
   *
   * @param run queues a product
   */
  public boolean isRight(Backend backend, Consumer<MatMul> run) {
    return isRight(backend, run, false) && isRight(backend, run, true);
  }

  private boolean isRight(Backend backend, Consumer<MatMul> run, boolean transposed) {
    float[] left = wholeNumbers(m * k, 7);
    float[] right = wholeNumbers(k * n, 5);
    try (Tensor a = transposed ? backend.floats(k, m) : backend.floats(m, k);
        Tensor b = transposed ? backend.floats(n, k) : backend.floats(k, n);
        Tensor c = backend.floats(m, n)) {
      backend.write(a, left);
      backend.write(b, right);
      run.accept(MatMul.of(a, b, c, transposed, transposed));
      return isProduct(left, right, transposed, backend.readFloats(c));
    }
  }

  private boolean isProduct(float[] left, float[] right, boolean transposed, float[] product) {
    for (int i = 0; i < m * n; i++) {
      int row = i / n;
      int column = i % n;
      float sum = 0;
      for (int j = 0; j < k; j++) {
        sum +=
            transposed
                ? left[j * m + row] * right[column * k + j]
                : left[row * k + j] * right[j * n + column];
      }
      if (sum != product[i]) {
        return false;
      }
    }
    return true;
  }

  private static float[] wholeNumbers(int count, int modulus) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = i % modulus - modulus / 2;
    }
    return numbers;
  }
}
