package org.sparkformer.models;

import org.sparkformer.models.ParameterLayout.Parameter;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Variable;

/** Where a model finds its parameters and their gradients while a pass runs. */
public interface ParameterStore {
  /**
   * A parameter as a variable; it has a gradient where a backward pass will add to it.
   *
   * <p>A block's matrices are asked for after {@link #enter}, all others at any time.
   */
  Variable variable(Parameter parameter);

  /** A forward pass is about to use a block's parameters, and will not use those of others. */
  default void enter(int layer) {}

  /**
   * All of them on the device, in flat vectors that the caller keeps.
   *
   * @param parameters of at least the layout's size
   * @param gradients null for inference
   */
  static ParameterStore flat(ParameterLayout layout, Tensor parameters, Tensor gradients) {
    return flat(layout, parameters, null, gradients);
  }

  /**
   * As {@link #flat(ParameterLayout, Tensor, Tensor)}.
   *
   * @param rounded null, or the parameters as products read them where they round their operands
   */
  static ParameterStore flat(
      ParameterLayout layout, Tensor parameters, Tensor rounded, Tensor gradients) {
    if (parameters.size() < layout.size()) {
      throw new IllegalArgumentException(
          "the model needs " + layout.size() + " values, given " + parameters.size());
    }
    return parameter ->
        Variable.parameter(
            ParameterLayout.view(parameters, parameter),
            view(rounded, parameter),
            view(gradients, parameter));
  }

  private static Tensor view(Tensor flat, Parameter parameter) {
    return flat == null ? null : ParameterLayout.view(flat, parameter);
  }
}
