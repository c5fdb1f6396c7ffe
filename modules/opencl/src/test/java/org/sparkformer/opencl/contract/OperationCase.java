package org.sparkformer.opencl.contract;

import java.util.function.Function;
import org.sparkformer.tensor.ops.Operation;

/**
 * One operation at one size: what the contract suite and the benchmarks share.
 *
 * @param name operation and shape
 * @param factory makes the operation from named tensors
 * @param gradient null, or what finite differences check the operation against
 */
public record OperationCase(
    String name, Function<Workspace, Operation> factory, Tolerance tolerance, Gradient gradient) {

  public OperationCase(String name, Function<Workspace, Operation> factory, Tolerance tolerance) {
    this(name, factory, tolerance, null);
  }

  /** The same with a check by finite differences; for small shapes. */
  public OperationCase withGradient(Gradient check) {
    return new OperationCase(name, factory, tolerance, check);
  }

  /** The same with bf16 tensors of these names, which finite differences would not resolve. */
  OperationCase withBfloat16(String... names) {
    return new OperationCase(
        name + " with bf16 " + String.join(", ", names),
        w -> factory.apply(w.bfloat16(names)),
        tolerance);
  }

  /** The same with tensors that start where vectors and copies may move them whole. */
  OperationCase aligned() {
    return new OperationCase(
        name + " aligned", w -> factory.apply(w.aligned()), tolerance, gradient);
  }

  OperationCase within(Tolerance other) {
    return new OperationCase(name, factory, other, gradient);
  }

  @Override
  public String toString() {
    return name;
  }
}
