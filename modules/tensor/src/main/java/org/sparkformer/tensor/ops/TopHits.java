package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/**
 * hits[r] = 1 where no logit of row r is larger than its target's, else 0: summed, how often the
 * likeliest token is the right one.
 *
 * @param logits [rows, V]
 * @param targets int32 [rows]; a negative target is never hit
 * @param hits [rows]
 */
public record TopHits(Tensor logits, Tensor targets, @Output Tensor hits) implements Operation {

  public TopHits {
    Arguments.size("TopHits", "targets", targets, logits.rows());
    Arguments.size("TopHits", "hits", hits, logits.rows());
  }

  /** V. */
  public int columns() {
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
    float[] hits;
    int columns;

    @Override
    public void run() {
      int row = getGlobalId();
      int first = row * columns;
      int target = targets[row];
      float own = logits[first + max(target, 0)];
      int larger = 0;
      for (int i = first; i < first + columns; i++) {
        larger += logits[i] > own ? 1 : 0;
      }
      hits[row] = target >= 0 && larger == 0 ? 1f : 0f;
    }
  }
}
