package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/**
 * {@code y[i] = x[i] P(X <= x[i])}, X standard normal: GELU as it is defined (Hendrycks and Gimpel,
 * arXiv:1606.08415, section 2) and as BERT has it, where {@link Gelu} is its approximation by tanh;
 * y may be x.
 *
 * @param x fp32 or bf16
 * @param y fp32 or bf16
 */
public record ExactGelu(Tensor x, @Output Tensor y) implements Operation {

  public ExactGelu {
    Arguments.sameSize("ExactGelu", x, y);
  }

  @Override
  public long workItems() {
    return x.size();
  }

  @Override
  public Kernel definition() {
    return new Definition();
  }

  static final class Definition extends NormalKernel {
    float[] x;
    float[] y;

    @Override
    public void run() {
      int i = getGlobalId();
      float v = x[i];
      y[i] = v * cumulative(v, exp(-0.5f * v * v));
    }
  }
}
