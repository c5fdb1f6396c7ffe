package org.sparkformer.models;

import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Functions.Targets;

/**
 * A micro-batch on the device, and where what comes of it goes.
 *
 * @param tokens int32 [B, T]
 * @param rows null, or int32 [B, P]: the rows of [B T] whose tokens are predicted; null for all of
 *     them, P = T
 * @param targets int32 [B, P]: tokens to be predicted; negative to ignore
 * @param losses [B P], receives each target's cross-entropy in nats; 0 where it is ignored
 * @param hits null, or [B P], receives 1 where the target is the likeliest token, else 0
 */
public record Batch(Tensor tokens, Tensor rows, Tensor targets, Tensor losses, Tensor hits) {

  /** The targets as the last layer takes them. */
  Targets targets(float scale) {
    return new Targets(targets.reshape(targets.size()), losses, hits, scale);
  }

  /** A target for each token, whose losses alone are asked for. */
  public static Batch of(Tensor tokens, Tensor targets, Tensor losses) {
    return new Batch(tokens, null, targets, losses, null);
  }
}
