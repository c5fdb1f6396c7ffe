package org.sparkformer.bench;

import org.sparkformer.tensor.ops.Operation;

/**
 * One operation at one shape, ready to run.
 *
 * @param op family, as in the bench's table
 * @param shape for people and scripts
 * @param direction {@code forward} or {@code backward}
 * @param operation what is timed; its tensors stay allocated while the case is in use
 * @param flops floating-point operations of one run, masked work left out; 0 where bytes decide
 * @param bytes that one run must at least move to and from memory
 */
record KernelCase(
    String op, String shape, String direction, Operation operation, double flops, double bytes) {

  /** Whether arithmetic, not memory, is the limit to compare with. */
  boolean computeBound() {
    return flops > 0;
  }
}
