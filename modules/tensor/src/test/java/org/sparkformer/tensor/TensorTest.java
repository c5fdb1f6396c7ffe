package org.sparkformer.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.sparkformer.tensor.reference.JavaBackend;

class TensorTest {
  private final Backend backend = new JavaBackend();

  @Test
  void viewsAndRowsAreTheSameElements() {
    try (Tensor matrix = backend.floats(3, 2)) {
      backend.write(matrix, new float[] {0, 1, 2, 3, 4, 5});
      assertArrayEquals(new float[] {2, 3, 4, 5}, backend.readFloats(matrix.rows(1, 2)));
      assertArrayEquals(new float[] {3, 4}, backend.readFloats(matrix.view(1, 4).view(2, 1, 2)));
      backend.write(matrix.view(2, 3), new float[] {7, 8, 9});
      assertArrayEquals(new float[] {0, 1, 7, 8, 9, 5}, backend.readFloats(matrix.reshape(6)));
    }
  }

  @Test
  void tellsRowsColumnsAndBytes() {
    try (Tensor tensor = backend.ints(2, 3, 5)) {
      assertEquals(6, tensor.rows());
      assertEquals(5, tensor.columns());
      assertEquals(120, tensor.bytes());
    }
  }

  @Test
  void refusesViewsThatLeaveTheTensor() {
    try (Tensor tensor = backend.floats(3, 2)) {
      Tensor part = tensor.view(0, 4);
      assertThrows(IllegalArgumentException.class, () -> part.view(3, 2));
      assertThrows(IllegalArgumentException.class, () -> part.view(-1, 2));
      assertThrows(IllegalArgumentException.class, () -> part.view(Long.MAX_VALUE, 2));
      assertThrows(IllegalArgumentException.class, () -> tensor.rows(2, 2));
      assertThrows(IllegalArgumentException.class, () -> tensor.reshape(5));
      assertThrows(
          IllegalArgumentException.class,
          () -> new Tensor(tensor.storage(), DType.FLOAT32, 1, Shape.of(6)));
      assertThrows(
          IllegalArgumentException.class,
          () -> new Tensor(tensor.storage(), DType.FLOAT32, 1, Shape.of(Long.MAX_VALUE)));
    }
  }

  @Test
  void memoryIsGivenBackByItsLastOwnerAndOnlyOnce() {
    long before = backend.memory().bytes();
    Tensor tensor = backend.floats(10);
    Tensor shared = tensor.share();
    tensor.close();
    assertEquals(before + 40, backend.memory().bytes());
    shared.close();
    assertEquals(before, backend.memory().bytes());
    assertEquals(before + 40, backend.memory().peakBytes());
    assertThrows(IllegalStateException.class, shared::close);
    assertThrows(IllegalStateException.class, tensor::share);
  }
}
