package org.sparkformer.tensor.autograd;

import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;

/**
 * A value in a computation, and its gradient once the backward pass has reached it.
 *
 * <p>A parameter brings its gradient tensor along and backward kernels add to it. The gradient of
 * any other variable is set by the tape and never written to again: a second contribution makes a
 * new tensor, so tensors can be handed from variable to variable without copies.
 */
public final class Variable {
  private final Tensor value;
  private final Tensor rounded;
  private final boolean parameter;
  private Tensor gradient;
  private Tape owner;
  private boolean takesRounded;

  private Variable(Tensor value, Tensor rounded, Tensor gradient, boolean parameter) {
    this.value = value;
    this.rounded = rounded;
    this.gradient = gradient;
    this.parameter = parameter;
  }

  /**
   * A model's parameter; the caller keeps both tensors.
   *
   * @param gradient null where no gradient is wanted, else of the value's shape
   */
  public static Variable parameter(Tensor value, Tensor gradient) {
    return parameter(value, null, gradient);
  }

  /**
   * As {@link #parameter(Tensor, Tensor)}.
   *
   * @param rounded null, or the value as products read it where they round their operands
   */
  public static Variable parameter(Tensor value, Tensor rounded, Tensor gradient) {
    return new Variable(value, rounded, gradient, true);
  }

  /** Something computed; the tape that it is recorded on owns its value. */
  public static Variable intermediate(Tensor value) {
    return new Variable(value, null, null, false);
  }

  public Tensor value() {
    return value;
  }

  /**
   * What a product reads that takes its operands as this type: the same numbers, rounded or not.
   */
  Tensor operand(DType type) {
    return rounded != null && rounded.dtype() == type ? rounded : value;
  }

  /** Null until the backward pass has reached this variable. */
  public Tensor gradient() {
    return gradient;
  }

  /** From here on the tape gives the value back, once. */
  void setOwner(Tape tape) {
    owner = tape;
  }

  boolean isOwnedBy(Tape tape) {
    return owner == tape;
  }

  /** Gives the value back where the tape has still to do so. */
  void releaseBy(Tape tape) {
    if (isOwnedBy(tape)) {
      owner = null;
      value.close();
    }
  }

  /** What computed this value reads its gradient rounded too. */
  Variable takingRounded() {
    takesRounded = true;
    return this;
  }

  boolean takesRounded() {
    return takesRounded;
  }

  boolean isParameter() {
    return parameter;
  }

  void setGradient(Tensor gradient) {
    this.gradient = gradient;
  }
}
