package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/**
 * y[i] = a[i] + b[i]; y may be a, or b where that is fp32.
 *
 * @param a fp32
 * @param b fp32 or bf16
 * @param y fp32
 */
public record Add(Tensor a, Tensor b, @Output Tensor y) implements Operation {

  public Add {
    Arguments.sameSize("Add", a, b);
    Arguments.sameSize("Add", a, y);
  }

  @Override
  public long workItems() {
    return y.size();
  }

  @Override
  public Kernel definition() {
    return new Definition();
  }

  static final class Definition extends Kernel {
    float[] a;
    float[] b;
    float[] y;

    @Override
    public void run() {
      int i = getGlobalId();
      y[i] = a[i] + b[i];
    }
  }
}
