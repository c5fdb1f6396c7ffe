package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/**
 * y[i] = x[i]; the two may differ in shape and type, not in size.
 *
 * @param x fp32 or bf16
 * @param y fp32 or bf16
 */
public record Copy(Tensor x, @Output Tensor y) implements Operation {

  public Copy {
    Arguments.sameSize("Copy", x, y);
  }

  @Override
  public long workItems() {
    return x.size();
  }

  @Override
  public Kernel definition() {
    return new Definition();
  }

  static final class Definition extends Kernel {
    float[] x;
    float[] y;

    @Override
    public void run() {
      int i = getGlobalId();
      y[i] = x[i];
    }
  }
}
