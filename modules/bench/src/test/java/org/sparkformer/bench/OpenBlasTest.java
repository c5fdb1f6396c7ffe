package org.sparkformer.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.MatMul;
import org.sparkformer.tensor.reference.JavaBackend;

/** A peer that computed something else would be no peer. */
class OpenBlasTest {
  private static final int M = 5;
  private static final int N = 7;
  private static final int K = 3;

  @ParameterizedTest
  @CsvSource({
    "1, false, false, false",
    "1, true, true, false",
    "1, true, false, true",
    "4, false, true, false",
    "4, true, true, true"
  })
  void givesWhatTheDefinitionGives(
      int batch, boolean transposeA, boolean transposeB, boolean accumulate) {
    Backend backend = new JavaBackend();
    try (Tensor a = filled(backend, batch, transposeA ? K : M, transposeA ? M : K);
        Tensor b = filled(backend, batch, transposeB ? N : K, transposeB ? K : N);
        Tensor c = filled(backend, batch, M, N)) {
      MatMul product =
          accumulate
              ? MatMul.adding(a, b, c, transposeA, transposeB)
              : MatMul.of(a, b, c, transposeA, transposeB);
      try (OpenBlas peer = new OpenBlas(product)) {
        peer.applyAsDouble(1);
        backend.run(product);
        assertArrayEquals(backend.readFloats(c), peer.result(), 1e-6f);
      }
    }
  }

  private static Tensor filled(Backend backend, int batch, int rows, int columns) {
    Tensor tensor =
        batch == 1 ? backend.floats(rows, columns) : backend.floats(batch, rows, columns);
    backend.write(tensor, OpenBlas.content(tensor.size()));
    return tensor;
  }
}
