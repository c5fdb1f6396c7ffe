package org.sparkformer.opencl;

import java.util.Map;
import org.sparkformer.tensor.ops.Operation;

/**
 * What a device runs an operation by. Where two devices choose the same, they run the same
 * programs.
 *
 * @param kernels file and kernels
 * @param tunables values of that file's
 */
public record KernelChoice(String kernels, Map<String, Integer> tunables) {
  public static KernelChoice of(Operation operation, DeviceInfo device) {
    return new Registry(Kernels.standard(), device)
        .find(operation)
        .map(kernel -> of(kernel, device))
        .orElse(new KernelChoice("definition", Map.of()));
  }

  private static KernelChoice of(Specialisation<?> kernel, DeviceInfo device) {
    String file = Kernels.file(kernel) + ".cl";
    return new KernelChoice(kernel.description(), Tunables.of(device).of(file));
  }
}
