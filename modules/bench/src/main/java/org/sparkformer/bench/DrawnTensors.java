package org.sparkformer.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Shape;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Copy;

/** Tensors of random contents, the same at each start; owns them. */
final class DrawnTensors implements AutoCloseable {
  private final Backend backend;
  private final List<Tensor> tensors = new ArrayList<>();
  private final Random random = new Random(7);

  DrawnTensors(Backend backend) {
    this.backend = backend;
  }

  /** From 0 to 0.1. */
  Tensor floats(long... extents) {
    return owned(drawn(extents));
  }

  /** The same in fp32, or rounded to bf16. */
  Tensor of(DType dtype, long... extents) {
    if (dtype == DType.FLOAT32) {
      return floats(extents);
    }
    Tensor rounded = owned(backend.allocate(dtype, Shape.of(extents)));
    try (Tensor values = drawn(extents)) {
      backend.run(new Copy(values, rounded));
    }
    return rounded;
  }

  /** From 0 up to the vocabulary. */
  Tensor tokens(int vocabulary, int rows, int columns) {
    Tensor tensor = owned(backend.ints(rows, columns));
    backend.write(tensor, random.ints((long) rows * columns, 0, vocabulary).toArray());
    return tensor;
  }

  private Tensor owned(Tensor tensor) {
    tensors.add(tensor);
    return tensor;
  }

  private Tensor drawn(long... extents) {
    Tensor tensor = backend.floats(extents);
    float[] values = new float[Math.toIntExact(tensor.size())];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat() * 0.1f;
    }
    backend.write(tensor, values);
    return tensor;
  }

  @Override
  public void close() {
    tensors.forEach(Tensor::close);
  }
}
