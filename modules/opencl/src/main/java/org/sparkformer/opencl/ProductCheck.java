package org.sparkformer.opencl;

import java.util.Arrays;
import java.util.Random;
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
    Random random = new Random(transposed ? 2 : 1);
    float[] left = wholeNumbers(m * k, random);
    float[] right = wholeNumbers(k * n, random);
    float[] unwritten = new float[m * n];
    Arrays.fill(unwritten, Float.NaN);
    try (Tensor a = transposed ? backend.floats(k, m) : backend.floats(m, k);
        Tensor b = transposed ? backend.floats(n, k) : backend.floats(k, n);
        Tensor c = backend.floats(m, n)) {
      backend.write(a, left);
      backend.write(b, right);
      backend.write(c, unwritten);
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

  /** From -3 to 3. */
  private static float[] wholeNumbers(int count, Random random) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = random.nextInt(7) - 3;
    }
    return numbers;
  }
}
