package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/**
 * y[i] = GELU(x[i]) in its tanh form (Hendrycks and Gimpel, arXiv:1606.08415); y may be x.
 *
 * @param x fp32 or bf16
 * @param y fp32 or bf16
 */
public record Gelu(Tensor x, @Output Tensor y) implements Operation {

  public Gelu {
    Arguments.sameSize("Gelu", x, y);
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
      float v = x[i];
      y[i] = 0.5f * v * (1f + tanh(0.7978845608f * (v + 0.044715f * v * v * v)));
    }
  }
}
