package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/**
 * One AdamW step over flat parameters (Loshchilov and Hutter, arXiv:1711.05101, algorithm 2), with
 * the gradient clipped by its global norm on the way in.
 *
 * <p>g = gradient min(1, clip / (norm + 1e-6)); m = beta1 m + (1 - beta1) g; v = beta2 v + (1 -
 * beta2) g^2; p = p - rate (decay p) - rate (m / correction1) / (sqrt(v / correction2) + epsilon).
 * Where the norm is not finite nothing changes.
 *
 * <p>Products of bf16 operands need not round weights each time that they read them: the step
 * rounds what it writes anyway.
 *
 * @param parameters flat [n]
 * @param gradients flat [n]
 * @param firstMoment m, flat [n]
 * @param secondMoment v, flat [n]
 * @param rounded null, or fp32 or bf16, flat [n]: receives the parameters too
 * @param squaredNorm [1]: square of the gradient's global norm
 * @param settings this step's scalars
 */
public record AdamW(
    @Output Tensor parameters,
    Tensor gradients,
    @Output Tensor firstMoment,
    @Output Tensor secondMoment,
    @Output Tensor rounded,
    Tensor squaredNorm,
    Settings settings)
    implements Operation {

  /**
   * @param learningRate rate
   * @param weightDecay decay, for the first {@code decayed} elements only
   * @param decayed number of leading elements that decay: the matrices come first
   * @param clip largest gradient norm; 0 for no clipping
   * @param step counted from 1
   */
  public record Settings(
      float learningRate,
      float beta1,
      float beta2,
      float epsilon,
      float weightDecay,
      long decayed,
      float clip,
      int step) {

    /** For a part of the parameters that begins at an element. */
    public Settings from(long first) {
      return new Settings(
          learningRate,
          beta1,
          beta2,
          epsilon,
          weightDecay,
          Math.max(0, decayed - first),
          clip,
          step);
    }
  }

  public AdamW {
    Arguments.sameSize("AdamW", parameters, gradients);
    Arguments.sameSize("AdamW", parameters, firstMoment);
    Arguments.sameSize("AdamW", parameters, secondMoment);
    Arguments.size("AdamW", "rounded", rounded, parameters.size());
    Arguments.size("AdamW", "squaredNorm", squaredNorm, 1);
  }

  public float learningRate() {
    return settings.learningRate();
  }

  public float beta1() {
    return settings.beta1();
  }

  public float beta2() {
    return settings.beta2();
  }

  public float epsilon() {
    return settings.epsilon();
  }

  public float weightDecay() {
    return settings.weightDecay();
  }

  public long decayed() {
    return settings.decayed();
  }

  public float clip() {
    return settings.clip();
  }

  /** 1 / (1 - beta1^step). */
  public float inverseCorrection1() {
    return (float) (1 / (1 - Math.pow(settings.beta1(), settings.step())));
  }

  /** 1 / (1 - beta2^step). */
  public float inverseCorrection2() {
    return (float) (1 / (1 - Math.pow(settings.beta2(), settings.step())));
  }

  @Override
  public long workItems() {
    return parameters.size();
  }

  @Override
  public Kernel definition() {
    return new Definition();
  }

  static final class Definition extends Kernel {
    float[] parameters;
    float[] gradients;
    float[] firstMoment;
    float[] secondMoment;
    float[] rounded;
    float[] squaredNorm;
    float learningRate;
    float beta1;
    float beta2;
    float epsilon;
    float weightDecay;
    long decayed;
    float clip;
    float inverseCorrection1;
    float inverseCorrection2;
    int roundedPresent;

    @Override
    public void run() {
      int i = getGlobalId();
      float square = squaredNorm[0];
      if (square - square == 0f) {
        float factor = clip > 0f ? min(1f, clip / (sqrt(square) + 0.000001f)) : 1f;
        float g = gradients[i] * factor;
        float p = parameters[i];
        float m = beta1 * firstMoment[i] + (1f - beta1) * g;
        float v = beta2 * secondMoment[i] + (1f - beta2) * g * g;
        float decay = i < decayed ? learningRate * weightDecay * p : 0f;
        firstMoment[i] = m;
        secondMoment[i] = v;
        float denominator = sqrt(v * inverseCorrection2) + epsilon;
        parameters[i] = p - decay - learningRate * (m * inverseCorrection1) / denominator;
        if (roundedPresent == 1) {
          rounded[i] = parameters[i];
        }
      }
    }
  }
}
