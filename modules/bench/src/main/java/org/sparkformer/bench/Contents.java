package org.sparkformer.bench;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Binding;
import org.sparkformer.tensor.ops.Binding.Argument;
import org.sparkformer.tensor.ops.Copy;
import org.sparkformer.tensor.ops.Operation;

/** Copies of the fp32 and bf16 tensors of operations, to run one again from the same values. */
final class Contents implements AutoCloseable {
  private final Backend backend;
  private final Consumer<Operation> runner;
  private final Map<Tensor, Tensor> copies = new HashMap<>();

  /**
   * @param runner what copies
   */
  Contents(Backend backend, Consumer<Operation> runner, List<KernelCase> cases) {
    this.backend = backend;
    this.runner = runner;
    for (KernelCase each : cases) {
      for (Tensor tensor : tensors(each.operation(), false)) {
        copies.computeIfAbsent(tensor, ignored -> backend.allocate(tensor.dtype(), tensor.shape()));
      }
    }
    copies.forEach((tensor, copy) -> runner.accept(new Copy(tensor, copy)));
  }

  /** Gives the operation's tensors the values they had at first. */
  void restore(Operation operation) {
    tensors(operation, false)
        .forEach(tensor -> runner.accept(new Copy(copies.get(tensor), tensor)));
  }

  /** What a tensor holds now. */
  float[] values(Tensor tensor) {
    try (Tensor widened = backend.floats(tensor.size())) {
      runner.accept(new Copy(tensor, widened));
      return backend.readFloats(widened);
    }
  }

  /** The fp32 and bf16 tensors that an operation writes. */
  static Set<Tensor> outputs(Operation operation) {
    return tensors(operation, true);
  }

  private static Set<Tensor> tensors(Operation operation, boolean outputs) {
    return Binding.of(operation).arguments().stream()
        .filter(argument -> argument.isArray() && (argument.output() || !outputs))
        .map((Argument argument) -> argument.tensor(operation))
        .filter(tensor -> tensor != null && tensor.dtype() != DType.INT32)
        .collect(Collectors.toSet());
  }

  @Override
  public void close() {
    copies.values().forEach(Tensor::close);
  }
}
