package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/**
 * {@code dx[i] = dy[i] (P(X <= x[i]) + x[i] p(x[i]))}, the gradient of {@link ExactGelu}; dx may be
 * dy.
 *
 * @param x the pre-activation, fp32 or bf16
 * @param dy fp32 or bf16
 * @param dx of dy's type
 */
public record ExactGeluBackward(Tensor x, Tensor dy, @Output Tensor dx) implements Operation {

  public ExactGeluBackward {
    Arguments.sameSize("ExactGeluBackward", x, dy);
    Arguments.sameSize("ExactGeluBackward", x, dx);
    Arguments.that(dy.dtype() == dx.dtype(), "ExactGeluBackward", "dy and dx differ in type");
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
    float[] dy;
    float[] dx;

    @Override
    public void run() {
      int i = getGlobalId();
      float v = x[i];
      float e = exp(-0.5f * v * v);
      dx[i] = dy[i] * (cumulative(v, e) + 0.3989422804f * v * e);
    }
  }
}
