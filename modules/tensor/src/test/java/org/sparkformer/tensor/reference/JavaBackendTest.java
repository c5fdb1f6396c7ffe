package org.sparkformer.tensor.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.sparkformer.tensor.BFloat16;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Shape;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Add;
import org.sparkformer.tensor.ops.Copy;
import org.sparkformer.tensor.ops.Dropout;
import org.sparkformer.tensor.ops.DropoutApply;
import org.sparkformer.tensor.ops.Fill;
import org.sparkformer.tensor.ops.MatMul;

class JavaBackendTest {
  private final Backend backend = new JavaBackend();

  @Test
  void writesOnlyThePartThatAnOutputCovers() {
    try (Tensor whole = backend.floats(5)) {
      backend.write(whole, new float[] {1, 2, 3, 4, 5});
      backend.run(new Fill(whole.view(1, 2), 9f));
      backend.run(new Copy(whole.view(0, 2), whole.view(3, 2)));
      assertArrayEquals(new float[] {1, 9, 9, 1, 9}, backend.readFloats(whole));
    }
  }

  @Test
  void anOutputMayBeAnInputOfTheSamePart() {
    try (Tensor whole = backend.floats(4)) {
      backend.write(whole, new float[] {1, 2, 3, 4});
      Tensor part = whole.view(1, 2);
      backend.run(new Add(part, part, part));
      assertArrayEquals(new float[] {1, 4, 6, 4}, backend.readFloats(whole));
    }
  }

  @Test
  void resultsDoNotDependOnTheNumberOfThreads() {
    float[] one = product(new JavaBackend(1));
    assertArrayEquals(one, product(new JavaBackend(7)));
  }

  private static float[] product(Backend backend) {
    Random random = new Random(2);
    float[] values = new float[31 * 37];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    Tensor a = backend.floats(31, 37);
    Tensor c = backend.floats(31, 31);
    backend.write(a, values);
    backend.run(MatMul.of(a, a, c, false, true));
    backend.run(new DropoutApply(c, c, new Dropout(0.3f, 5, 6, 7, 8)));
    return backend.readFloats(c);
  }

  @Test
  void dropoutIsTheSameHoweverTheTensorIsDivided() {
    try (Tensor x = backend.floats(1000);
        Tensor whole = backend.floats(1000);
        Tensor parts = backend.floats(1000)) {
      backend.run(new Fill(x, 1f));
      backend.run(new DropoutApply(x, whole, new Dropout(0.25f, 3, 1, 2, 0)));
      for (int first = 0; first < 1000; first += 125) {
        Dropout dropout = new Dropout(0.25f, 3, 1, 2, first);
        backend.run(new DropoutApply(x.view(first, 125), parts.view(first, 125), dropout));
      }
      float[] values = backend.readFloats(whole);
      assertArrayEquals(values, backend.readFloats(parts));
      int dropped = 0;
      for (float value : values) {
        assertTrue(value == 0f || value == 1 / 0.75f, "scaled or dropped: " + value);
        dropped += value == 0f ? 1 : 0;
      }
      assertEquals(250, dropped, 4 * Math.sqrt(1000 * 0.25 * 0.75));
    }
  }

  @Test
  void bfloat16IsComputedWithAsFp32AndRoundedOnceWhenWritten() {
    try (Tensor halves = backend.allocate(DType.BFLOAT16, Shape.of(4));
        Tensor floats = backend.floats(2)) {
      assertEquals(8, halves.bytes());
      backend.run(new Fill(halves, 9f));
      backend.write(floats, new float[] {1.01f, -3f});
      Tensor part = halves.view(1, 2);
      backend.run(new Copy(floats, part));
      backend.run(new Add(part, part, part));
      backend.run(new Add(part, floats, floats));
      float rounded = BFloat16.widen(BFloat16.round(1.01f));
      assertArrayEquals(new float[] {2 * rounded + 1.01f, -9f}, backend.readFloats(floats));
      ByteBuffer bytes = ByteBuffer.allocate(8).order(ByteOrder.nativeOrder());
      backend.read(halves, bytes);
      assertEquals(BFloat16.round(9f), bytes.getShort(0));
      assertEquals(BFloat16.round(-6f), bytes.getShort(4));
      bytes.clear();
      backend.write(halves, bytes.putShort(6, BFloat16.round(-1f)));
      backend.run(new Copy(halves.view(2, 2), floats));
      assertArrayEquals(new float[] {-6f, -1f}, backend.readFloats(floats));
    }
  }

  @Test
  void refusesBuffersOfAnotherSize() {
    try (Tensor tensor = backend.floats(3)) {
      assertThrows(IllegalArgumentException.class, () -> backend.write(tensor, new float[2]));
    }
    assertThrows(IllegalArgumentException.class, () -> new JavaBackend(0));
  }
}
