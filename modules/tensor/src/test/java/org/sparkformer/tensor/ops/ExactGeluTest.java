package org.sparkformer.tensor.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.reference.JavaBackend;

/** Against x / 2 erfc(-x / sqrt(2)) and its gradient, by torch 2.15.0 in fp64. */
class ExactGeluTest {
  private static final float[] X = {-9, -6, -4, -2.5f, -1, -0.3f, 0, 0.1f, 0.7f, 1.5f, 3, 5, 9};
  private static final double[] Y = {
    -1.0157295653584581e-18,
    -5.919525870226208e-9,
    -1.266849673324799e-4,
    -0.015524163314440398,
    -0.15865525393145702,
    -0.11462657653421583,
    0,
    0.0539827845912596,
    0.5306254318017016,
    1.399789198096713,
    2.99595030590511,
    4.999998566742141,
    9
  };
  private static final double[] SLOPE = {
    -9.138937373906637e-18,
    -3.546870945402639e-08,
    -0.0005036496612264215,
    -0.03761108590814519,
    -0.08331547058768635,
    0.2676722244890808,
    0.5,
    0.5795230932018259,
    0.9766140955129008,
    1.1274691922299795,
    1.011945647204184,
    1.000007146946002,
    1
  };

  private final Backend backend = new JavaBackend(1);

  /** Of a product with one. */
  @Test
  void agreesWithPyTorchInBothTails() {
    try (Tensor x = backend.floats(X.length, 1);
        Tensor one = backend.floats(1, 1);
        Tensor product = backend.floats(X.length, 1);
        Tensor y = backend.floats(X.length, 1)) {
      backend.write(x, X);
      backend.write(one, new float[] {1});
      backend.run(new MatMul(x, one, product, false, false, false, null, y, true, DType.FLOAT32));
      check(Y, backend.readFloats(y));
    }
  }

  /** And so does what is computed again beside it. */
  @Test
  void itsSlopeAgreesWithPyTorchInBothTails() {
    float[] ones = new float[X.length];
    Arrays.fill(ones, 1f);
    try (Tensor x = backend.floats(X.length);
        Tensor dy = backend.floats(X.length)) {
      backend.write(x, X);
      backend.write(dy, ones);
      backend.run(new ExactGeluBackward(x, dy, dy, x));
      check(SLOPE, backend.readFloats(dy));
      check(Y, backend.readFloats(x));
    }
  }

  /** 2e-7 of the probability everywhere, and 2 % of what is next to nothing. */
  private static void check(double[] expected, float[] actual) {
    for (int i = 0; i < expected.length; i++) {
      double tolerance = Math.min(2e-7 * Math.max(1, Math.abs(X[i])), 2e-2 * Math.abs(expected[i]));
      assertEquals(expected[i], actual[i], tolerance, "x = " + X[i]);
    }
  }
}
