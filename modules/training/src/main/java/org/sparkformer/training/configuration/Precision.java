package org.sparkformer.training.configuration;

import com.fasterxml.jackson.annotation.JsonProperty;
import org.sparkformer.tensor.DType;

/**
 * The number format in which matrix products take weights, activations and gradients, or in which
 * gradients cross from rank to rank.
 */
public enum Precision {
  @JsonProperty("fp32")
  FP32(DType.FLOAT32),

  /**
   * Rounded to bf16 for products, activations kept so from the forward to the backward pass and
   * weights from step to step, beside the optimizer's in fp32; sums and gradients stay fp32.
   */
  @JsonProperty("bf16")
  BF16(DType.BFLOAT16);

  private final DType operands;

  Precision(DType operands) {
    this.operands = operands;
  }

  /** What products take their operands as. */
  public DType operands() {
    return operands;
  }
}
