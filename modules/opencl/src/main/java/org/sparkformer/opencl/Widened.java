package org.sparkformer.opencl;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.sparkformer.opencl.kernels.ElementwiseKernels;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Binding.Argument;
import org.sparkformer.tensor.ops.Copy;
import org.sparkformer.tensor.ops.Operation;

/** The bf16 tensors of an operation as fp32, for its definition, which knows no other floats. */
final class Widened implements AutoCloseable {
  private final LaunchContext context;
  private final Map<Tensor, Tensor> copies = new HashMap<>();
  private final Set<Tensor> outputs = new HashSet<>();

  private Widened(LaunchContext context) {
    this.context = context;
  }

  /** Queues copies of what the arguments hold. */
  static Widened of(List<Argument> arguments, Operation operation, LaunchContext context) {
    Widened widened = new Widened(context);
    for (Argument argument : arguments) {
      Tensor tensor = argument.isArray() ? argument.tensor(operation) : null;
      if (tensor != null && tensor.dtype() == DType.BFLOAT16) {
        widened.add(tensor);
        if (argument.output()) {
          widened.outputs.add(tensor);
        }
      }
    }
    return widened;
  }

  private void add(Tensor tensor) {
    if (!copies.containsKey(tensor)) {
      Tensor copy = context.floats(tensor.size());
      copies.put(tensor, copy);
      ElementwiseKernels.copy(new Copy(tensor, copy), context);
    }
  }

  /** What to pass in a tensor's place. */
  Tensor tensor(Tensor tensor) {
    return copies.getOrDefault(tensor, tensor);
  }

  /** Queues the rounding of what was written. */
  void roundOutputs() {
    outputs.forEach(
        tensor -> ElementwiseKernels.copy(new Copy(copies.get(tensor), tensor), context));
  }

  @Override
  public void close() {
    copies.values().forEach(Tensor::close);
  }
}
