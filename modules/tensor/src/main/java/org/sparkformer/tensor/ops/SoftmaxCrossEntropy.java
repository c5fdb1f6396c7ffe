package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/**
 * Softmax and cross-entropy in one operation that stores no probabilities: losses[r] =
 * logSumExp(logits[r]) - logits[r, targets[r]], and, with {@code gradient}, logits[r] becomes
 * (softmax(logits[r]) - onehot(targets[r])) scale.
 *
 * @param logits [rows, V or more], fp32 or bf16; overwritten with their gradient where {@code
 *     gradient}, and with zeros beyond V, else kept
 * @param targets int32 [rows]; a negative target means: no loss and no gradient for this row
 * @param losses [rows], not scaled
 * @param columns V
 * @param scale factor of the gradient: one over the number of targets that the loss is a mean of
 */
public record SoftmaxCrossEntropy(
    @Output Tensor logits,
    Tensor targets,
    @Output Tensor losses,
    int columns,
    float scale,
    boolean gradient)
    implements Operation {

  public SoftmaxCrossEntropy {
    Arguments.size("SoftmaxCrossEntropy", "targets", targets, logits.rows());
    Arguments.size("SoftmaxCrossEntropy", "losses", losses, logits.rows());
    Arguments.that(
        columns <= logits.columns(), "SoftmaxCrossEntropy", "V is more than the logits of a row");
  }

  /** Columns of the logits in memory. */
  public int width() {
    return logits.columns();
  }

  @Override
  public long workItems() {
    return logits.rows();
  }

  @Override
  public Kernel definition() {
    return new Definition();
  }

  /** One work-item a row. */
  static final class Definition extends Kernel {
    float[] logits;
    int[] targets;
    float[] losses;
    int columns;
    int width;
    float scale;
    int gradient;

    @Override
    public void run() {
      int row = getGlobalId();
      int first = row * width;
      int target = targets[row];
      float largest = -3.0e38f;
      for (int i = first; i < first + columns; i++) {
        largest = max(largest, logits[i]);
      }
      float total = 0f;
      for (int i = first; i < first + columns; i++) {
        total += exp(logits[i] - largest);
      }
      float logTotal = largest + log(total);
      losses[row] = target < 0 ? 0f : logTotal - logits[first + max(target, 0)];
      if (gradient == 1) {
        for (int i = first; i < first + columns; i++) {
          float p = exp(logits[i] - logTotal);
          float hit = i - first == target ? 1f : 0f;
          logits[i] = target < 0 ? 0f : (p - hit) * scale;
        }
        for (int i = first + columns; i < first + width; i++) {
          logits[i] = 0f;
        }
      }
    }
  }
}
