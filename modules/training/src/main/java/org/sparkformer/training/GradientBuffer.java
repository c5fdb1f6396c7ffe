package org.sparkformer.training;

import java.util.function.Function;
import org.sparkformer.models.LanguageModel;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;

/**
 * A flat gradient vector with a short tail, whose first element is the summed loss of the same
 * samples: so the loss is added along the same tree as the gradients.
 */
final class GradientBuffer implements AutoCloseable {
  private final Tensor flat;
  private final long size;
  private final LanguageModel model;

  /**
   * @param size elements of the gradients
   * @param model binds the model to where its backward pass adds gradients
   */
  GradientBuffer(Backend backend, long size, Function<Tensor, LanguageModel> model) {
    this.size = size;
    this.flat = backend.floats(length(size));
    this.model = model.apply(flat);
  }

  /** Elements of a buffer for a model of so many. */
  static long length(long size) {
    return size + ParameterLayout.ALIGNMENT;
  }

  /** Gradients and tail. */
  Tensor flat() {
    return flat;
  }

  /** The gradients alone, laid out as the parameters; borrowed. */
  Tensor gradients() {
    return flat.view(0, size);
  }

  /** The summed loss, [1]; borrowed. */
  Tensor loss() {
    return flat.view(size, 1);
  }

  /** The model, its backward pass adding to this buffer. */
  LanguageModel model() {
    return model;
  }

  @Override
  public void close() {
    flat.close();
  }
}
