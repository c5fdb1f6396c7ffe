package org.sparkformer.opencl.kernels;

import java.util.function.BiConsumer;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.ops.Operation;

/** A specialisation that takes every operation of its class, on every device. */
record KernelLaunch<O extends Operation>(
    Class<O> operation, String description, BiConsumer<O, LaunchContext> launcher)
    implements Specialisation<O> {

  static <O extends Operation> KernelLaunch<O> of(
      Class<O> operation, String description, BiConsumer<O, LaunchContext> launcher) {
    return new KernelLaunch<>(operation, description, launcher);
  }

  @Override
  public boolean supports(O candidate, DeviceInfo device) {
    return true;
  }

  @Override
  public void enqueue(O candidate, LaunchContext context) {
    launcher.accept(candidate, context);
  }
}
