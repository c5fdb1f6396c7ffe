package org.sparkformer.training;

import org.sparkformer.models.ParameterLayout.Parameter;
import org.sparkformer.tensor.Tensor;

/**
 * A range of the flat gradient vector that travels between ranks as one.
 *
 * @param from first element, a multiple of the norm's block
 * @param to element after the last
 * @param mark the backward pass's mark at which its gradients, and those of the buckets before, are
 *     final
 */
record Bucket(long from, long to, int mark) {
  long length() {
    return to - from;
  }

  /** Whether it holds any of a parameter. */
  boolean reaches(Parameter parameter) {
    return parameter.offset() < to && from < parameter.offset() + parameter.shape().size();
  }

  /** Its elements of a gradient vector; borrowed. */
  Tensor of(Tensor flat) {
    return flat.view(from, length());
  }
}
