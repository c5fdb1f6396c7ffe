package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/** y[i] = x[i] scaled where kept, 0 where dropped; also its own backward. y may be x. */
public record DropoutApply(Tensor x, @Output Tensor y, Dropout dropout) implements Dropping {

  public DropoutApply {
    Arguments.sameSize("DropoutApply", x, y);
  }

  @Override
  public long workItems() {
    return x.size();
  }

  @Override
  public Kernel definition() {
    return new Definition();
  }

  static final class Definition extends PhiloxKernel {
    float[] x;
    float[] y;
    long firstElement;
    long threshold;
    float keepScale;
    int seedLow;
    int seedHigh;
    int site;
    int step;

    @Override
    public void run() {
      int i = getGlobalId();
      long word = word(firstElement + i, seedLow, seedHigh, site, step);
      y[i] = word >= threshold ? x[i] * keepScale : 0f;
    }
  }
}
