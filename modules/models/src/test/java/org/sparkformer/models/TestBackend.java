package org.sparkformer.models;

import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.reference.JavaBackend;

/** The backends that models are tested on. */
public enum TestBackend {
  JAVA {
    @Override
    public Backend open() {
      return new JavaBackend();
    }
  },
  OPENCL {
    @Override
    public Backend open() {
      return OpenClBackend.open(DeviceSelector.AUTO);
    }
  };

  public abstract Backend open();
}
