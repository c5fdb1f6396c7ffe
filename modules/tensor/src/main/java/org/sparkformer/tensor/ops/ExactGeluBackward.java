package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/**
 * {@code dx[i] = dy[i] (P(X <= x[i]) + x[i] p(x[i]))}, the gradient of {@code x P(X <= x)}, X
 * standard normal with the density p: of GELU as it is defined (Hendrycks and Gimpel,
 * arXiv:1606.08415, section 2), which {@link GeluBackward} approximates; dx may be dy.
 *
 * @param x the pre-activation, fp32 or bf16
 * @param dy fp32 or bf16
 * @param dx of dy's type
 * @param activated null or of x's type: receives GELU(x), and may be x
 */
public record ExactGeluBackward(Tensor x, Tensor dy, @Output Tensor dx, @Output Tensor activated)
    implements Operation {

  public ExactGeluBackward {
    Arguments.sameSize("ExactGeluBackward", x, dy);
    Arguments.sameSize("ExactGeluBackward", x, dx);
    Arguments.that(dy.dtype() == dx.dtype(), "ExactGeluBackward", "dy and dx differ in type");
    Arguments.size("ExactGeluBackward", "activated", activated, x.size());
    Arguments.that(
        activated == null || activated.dtype() == x.dtype(),
        "ExactGeluBackward",
        "x and activated differ in type");
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
    float[] activated;
    int activatedPresent;

    @Override
    public void run() {
      int i = getGlobalId();
      float v = x[i];
      float e = exp(-0.5f * v * v);
      float share = cumulative(v, e);
      dx[i] = dy[i] * (share + 0.3989422804f * v * e);
      if (activatedPresent == 1) {
        activated[i] = v * share;
      }
    }
  }
}
