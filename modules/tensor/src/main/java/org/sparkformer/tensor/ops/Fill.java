package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/** x[i] = value. */
public record Fill(@Output Tensor x, float value) implements Operation {

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
    float value;

    @Override
    public void run() {
      x[getGlobalId()] = value;
    }
  }
}
