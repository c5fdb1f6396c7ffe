package org.sparkformer.training;

import org.sparkformer.models.Initialization;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Fill;

/**
 * What training changes: the parameters and AdamW's two moments, flat on the device.
 *
 * @param parameters laid out by {@code layout}
 * @param firstMoment m
 * @param secondMoment v
 */
public record ModelState(
    ParameterLayout layout, Tensor parameters, Tensor firstMoment, Tensor secondMoment)
    implements AutoCloseable {

  /** Memory for a model; its contents are undefined. */
  public static ModelState allocate(Backend backend, ParameterLayout layout) {
    return new ModelState(
        layout,
        backend.floats(layout.size()),
        backend.floats(layout.size()),
        backend.floats(layout.size()));
  }

  /** Sets the state before the first step. */
  public void initialize(Backend backend, long seed) {
    Initialization.run(backend, layout, parameters, seed);
    backend.run(new Fill(firstMoment, 0f));
    backend.run(new Fill(secondMoment, 0f));
  }

  @Override
  public void close() {
    parameters.close();
    firstMoment.close();
    secondMoment.close();
  }
}
