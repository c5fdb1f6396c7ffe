package org.sparkformer.training.configuration;

import com.fasterxml.jackson.annotation.JsonProperty;

/** The number format of weights and activations. */
public enum Precision {
  @JsonProperty("fp32")
  FP32
}
