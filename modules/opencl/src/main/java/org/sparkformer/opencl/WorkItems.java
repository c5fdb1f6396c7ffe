package org.sparkformer.opencl;

import org.sparkformer.tensor.ops.Operation;

/**
 * Work-items of an operation's definition that follow each other.
 *
 * @param first number of the first
 */
public record WorkItems(long first, long count) {

  /** Those of the whole operation. */
  public static WorkItems all(Operation operation) {
    return new WorkItems(0, operation.workItems());
  }

  long end() {
    return first + count;
  }
}
