package org.sparkformer.training;

import java.util.BitSet;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;

/**
 * Squared gradient norms of the latest steps, kept on the device, so that the host need not wait
 * for each; {@link #check} reads them and refuses those that are not finite, but for steps that
 * updated nothing.
 */
final class NormHistory implements AutoCloseable {
  private static final int CAPACITY = 64;

  private final Backend backend;
  private final Tensor slots;
  private final BitSet unused = new BitSet(CAPACITY);
  private int pending;
  private int lastStep;
  private double lastNorm;

  NormHistory(Backend backend) {
    this.backend = backend;
    this.slots = backend.floats(CAPACITY);
  }

  /**
   * The place of a step's squared norm, [1]; borrowed.
   *
   * @param step counted from 1
   */
  Tensor slot(int step) {
    if (pending == CAPACITY || step != lastStep + 1) {
      check();
    }
    lastStep = step;
    return slots.view(pending++, 1);
  }

  /** The latest step's gradients updated nothing, whatever their norm. */
  void forgive() {
    unused.set(pending - 1);
  }

  /**
   * Waits for all steps so far and gives the last one's norm; where that is forgiven and not
   * finite, the one's before.
   *
   * @throws NonFiniteGradientException naming the first step whose norm was not finite
   */
  double check() {
    if (pending == 0) {
      return lastNorm;
    }
    float[] squares = backend.readFloats(slots.view(0, pending));
    int first = lastStep - pending + 1;
    for (int i = 0; i < pending; i++) {
      double norm = Math.sqrt(squares[i]);
      if (Double.isFinite(norm)) {
        lastNorm = norm;
      } else if (!unused.get(i)) {
        throw new NonFiniteGradientException(first + i, norm);
      }
    }
    pending = 0;
    unused.clear();
    return lastNorm;
  }

  @Override
  public void close() {
    slots.close();
  }
}
