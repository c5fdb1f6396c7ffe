package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.sparkformer.tensor.reference.JavaBackend;

class NormHistoryTest {
  private final JavaBackend backend = new JavaBackend(1);
  private final NormHistory norms = new NormHistory(backend);

  @AfterEach
  void close() {
    norms.close();
    backend.close();
  }

  @Test
  void aStepWhoseNormIsNotFiniteIsNamedUnlessItUpdatedNothing() {
    step(1, 9);
    step(2, Float.POSITIVE_INFINITY);
    norms.forgive();
    step(3, 16);
    assertEquals(4, norms.check());
    step(4, Float.NaN);
    norms.forgive();
    assertEquals(4, norms.check());
    step(5, 25);
    step(6, Float.NaN);
    NonFiniteGradientException failed =
        assertThrows(NonFiniteGradientException.class, norms::check);
    assertEquals("the gradient norm of step 6 is NaN", failed.getMessage().split(":")[0]);
  }

  private void step(int number, float square) {
    backend.write(norms.slot(number), new float[] {square});
  }
}
