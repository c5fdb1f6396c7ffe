package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/**
 * dx[i] = dy[i] GELU'(x[i]), tanh form (arXiv:1606.08415); dx may be dy.
 *
 * @param x the pre-activation, fp32 or bf16
 * @param dy fp32 or bf16
 * @param dx of dy's type
 * @param activated null or of x's type: receives GELU(x), and may be x
 */
public record GeluBackward(Tensor x, Tensor dy, @Output Tensor dx, @Output Tensor activated)
    implements Operation {

  public GeluBackward {
    Arguments.sameSize("GeluBackward", x, dy);
    Arguments.sameSize("GeluBackward", x, dx);
    Arguments.that(dy.dtype() == dx.dtype(), "GeluBackward", "dy and dx differ in type");
    Arguments.size("GeluBackward", "activated", activated, x.size());
    Arguments.that(
        activated == null || activated.dtype() == x.dtype(),
        "GeluBackward",
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

  static final class Definition extends Kernel {
    float[] x;
    float[] dy;
    float[] dx;
    float[] activated;
    int activatedPresent;

    @Override
    public void run() {
      int i = getGlobalId();
      float v = x[i];
      float t = tanh(0.7978845608f * (v + 0.044715f * v * v * v));
      float slope = 0.7978845608f * (1f + 0.134145f * v * v);
      dx[i] = dy[i] * (0.5f * (1f + t) + 0.5f * v * (1f - t * t) * slope);
      if (activatedPresent == 1) {
        activated[i] = 0.5f * v * (1f + t);
      }
    }
  }
}
