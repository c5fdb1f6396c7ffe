package org.sparkformer.tensor.autograd;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.IntConsumer;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Shape;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Add;
import org.sparkformer.tensor.ops.Copy;

/**
 * Reverse-mode automatic differentiation over coarse operations.
 *
 * <p>Each node keeps its outputs, the tensors saved for its backward pass, and that pass itself.
 * Running a node backward is the last use of its outputs, since everything that read them came
 * later; so memory is given back while the backward pass proceeds.
 */
public final class Tape implements AutoCloseable {
  private final Backend backend;
  private final boolean recording;
  private final DType operands;
  private final List<Node> nodes = new ArrayList<>();
  private IntConsumer reached = label -> {};

  private record Node(List<Variable> outputs, List<Tensor> saved, Runnable backward) {
    boolean reached() {
      return outputs.isEmpty() || outputs.stream().anyMatch(output -> output.gradient() != null);
    }

    void close(Tape tape) {
      for (Variable output : outputs) {
        output.releaseBy(tape);
        if (output.gradient() != null) {
          output.gradient().close();
        }
      }
      saved.forEach(Tensor::close);
    }
  }

  /** With matrix products of fp32. */
  public Tape(Backend backend, boolean recording) {
    this(backend, recording, DType.FLOAT32);
  }

  /**
   * @param recording false for inference: nothing is kept for a backward pass
   * @param operands what matrix products, forward and backward, take their operands as, and what is
   *     kept of their operands and results from the forward to the backward pass; sums along the
   *     residual stream, statistics of rows and gradients stay fp32, but those that {@link
   *     Backend#gradients} speaks of
   */
  public Tape(Backend backend, boolean recording, DType operands) {
    this.backend = backend;
    this.recording = recording;
    this.operands = operands;
  }

  public Backend backend() {
    return backend;
  }

  /** What matrix products take their operands as. */
  public DType operands() {
    return operands;
  }

  /** Whether a backward pass will follow. */
  public boolean recording() {
    return recording;
  }

  /**
   * Takes ownership of what an operation computed.
   *
   * @param outputs their values are closed by the tape
   * @param saved tensors owned by the node until its backward pass has run
   * @param backward turns the outputs' gradients into the inputs', through {@link #contribute}; not
   *     called where no output has a gradient, always where there is no output (a loss)
   */
  public void record(List<Variable> outputs, List<Tensor> saved, Runnable backward) {
    outputs.forEach(output -> output.setOwner(this));
    nodes.add(new Node(List.copyOf(outputs), List.copyOf(saved), backward));
  }

  /** An fp32 tensor of the same shape, holding anything; the caller closes it. */
  Tensor floatsLike(Tensor tensor) {
    return backend.allocate(DType.FLOAT32, tensor.shape());
  }

  /**
   * What products read or write, in their operands' type, holding anything; the caller closes it.
   */
  Tensor operand(Shape shape) {
    return backend.allocate(operands, shape);
  }

  /**
   * What a product overwrites with the gradient of a variable: of the type in which the backend
   * wants it, where what computed the variable can read that; the caller closes it.
   */
  Tensor gradientOf(Variable variable) {
    Tensor value = variable.value();
    return variable.takesRounded() ? gradient(value.shape()) : floatsLike(value);
  }

  /** A gradient that products alone read, holding anything; the caller closes it. */
  Tensor gradient(Shape shape) {
    return backend.allocate(backend.gradients(operands), shape);
  }

  /** Adds to a variable's gradient; takes over the caller's reference. */
  public void contribute(Variable variable, Tensor gradient) {
    if (variable.isParameter()) {
      throw new IllegalArgumentException("backward kernels add to a parameter's gradient directly");
    }
    Tensor held = variable.gradient();
    if (held == null) {
      variable.setGradient(gradient);
      return;
    }
    Tensor sum = floatsLike(held);
    boolean swaps = held.dtype() != DType.FLOAT32;
    try (Tensor first = exact(swaps ? gradient : held);
        Tensor second = swaps ? held : gradient) {
      backend.run(new Add(first, second, sum));
    }
    variable.setGradient(sum);
  }

  /** In fp32, in place of a tensor of either type. */
  private Tensor exact(Tensor tensor) {
    if (tensor.dtype() == DType.FLOAT32) {
      return tensor;
    }
    Tensor wide = floatsLike(tensor);
    backend.run(new Copy(tensor, wide));
    tensor.close();
    return wide;
  }

  /**
   * Marks a place: the backward pass reports it when everything recorded later has run, which is
   * when the gradients of parameters used only later are final.
   */
  public void mark(int label) {
    record(List.of(), List.of(), () -> reached.accept(label));
  }

  /** Runs all nodes backward, last first, and gives back their memory. */
  public void backward() {
    backward(label -> {});
  }

  /**
   * As {@link #backward()}.
   *
   * @param listener told the label of each {@link #mark} as the pass reaches it
   */
  public void backward(IntConsumer listener) {
    reached = listener;
    while (!nodes.isEmpty()) {
      Node node = nodes.get(nodes.size() - 1);
      if (node.reached()) {
        node.backward().run();
      }
      nodes.remove(nodes.size() - 1);
      node.close(this);
    }
  }

  /**
   * Runs part of a model so that only its inputs and outputs stay in memory: when recording it is
   * computed again in the backward pass (Chen et al., arXiv:1604.06174).
   *
   * @param body computes the outputs from the inputs on the tape it is given, the same every time
   */
  public List<Variable> segment(
      List<Variable> inputs, BiFunction<Tape, List<Variable>, List<Variable>> body) {
    List<Variable> outputs;
    try (Tape inner = new Tape(backend, false, operands)) {
      outputs =
          body.apply(inner, inputs).stream()
              .map(output -> Variable.intermediate(output.value().share()))
              .toList();
    }
    record(outputs, List.of(), () -> recompute(inputs, outputs, body));
    return outputs;
  }

  private void recompute(
      List<Variable> inputs,
      List<Variable> outputs,
      BiFunction<Tape, List<Variable>, List<Variable>> body) {
    try (Tape inner = new Tape(backend, true, operands)) {
      List<Variable> copies =
          inputs.stream().map(input -> Variable.intermediate(input.value())).toList();
      List<Variable> again = body.apply(inner, copies);
      for (int i = 0; i < outputs.size(); i++) {
        if (outputs.get(i).gradient() != null) {
          inner.contribute(again.get(i), outputs.get(i).gradient().share());
        }
      }
      inner.backward();
      for (int i = 0; i < inputs.size(); i++) {
        if (copies.get(i).gradient() != null) {
          contribute(inputs.get(i), copies.get(i).gradient());
        }
      }
    }
  }

  /** Gives back everything that no backward pass has. */
  @Override
  public void close() {
    nodes.forEach(node -> node.close(this));
    nodes.clear();
  }
}
