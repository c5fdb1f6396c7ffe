package org.sparkformer.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class ShapeTest {
  @Test
  void countsElementsAndRows() {
    Shape shape = Shape.of(2, 3, 5);
    assertEquals(30, shape.size());
    assertEquals(6, shape.rows());
    assertEquals(3, shape.rank());
    assertEquals(5, shape.extent(-1));
    assertEquals(2, shape.extent(-3));
    assertEquals(3, shape.extent(1));
    assertEquals("[2, 3, 5]", shape.toString());
  }

  @Test
  void aScalarHasOneElementAndAnEmptyAxisNone() {
    assertEquals(1, Shape.of().size());
    assertEquals(1, Shape.of().rows());
    assertEquals(0, Shape.of(4, 0).size());
    assertEquals(4, Shape.of(4, 0).rows());
    assertEquals(0, Shape.of(0, 4).rows());
    assertEquals(1, Shape.of(7).rows());
  }

  @Test
  void countsPast31BitsAndRefusesToOverflow() {
    assertEquals(1L << 40, Shape.of(1L << 20, 1L << 20).size());
    assertThrows(ArithmeticException.class, () -> Shape.of(1L << 32, 1L << 32));
  }

  @Test
  void refusesNegativeExtents() {
    assertThrows(IllegalArgumentException.class, () -> Shape.of(2, -1));
  }

  @Test
  void isAValue() {
    long[] extents = {2, 3};
    Shape shape = Shape.of(extents);
    extents[0] = 7;
    assertEquals(Shape.of(2, 3), shape);
    assertEquals(Shape.of(2, 3).hashCode(), shape.hashCode());
    assertNotEquals(Shape.of(3, 2), shape);
    assertNotEquals(Shape.of(6), shape);
  }
}
