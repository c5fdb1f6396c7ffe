package org.sparkformer.models;

import org.sparkformer.tensor.Tensor;

/**
 * A micro-batch on the device.
 *
 * @param tokens int32 [B, T]
 * @param targets int32 [B, P]: tokens to be predicted; negative to ignore
 */
public record Batch(Tensor tokens, Tensor targets) {}
