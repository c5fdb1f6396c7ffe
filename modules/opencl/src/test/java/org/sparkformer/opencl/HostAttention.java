package org.sparkformer.opencl;

import org.sparkformer.tensor.ops.Operation;

/**
 * Attention by one of the kernel files for processors; on those without AMX its kernels do it in
 * OpenCL C.
 *
 * @param file without .cl
 */
public record HostAttention(String file, OpenClBackend backend) {

  /** Runs an attention, forward or backward. */
  public void run(Operation attention) {
    Specialisation<?> kernel =
        Kernels.standard().stream()
            .filter(each -> Kernels.file(each).equals(file))
            .filter(each -> each.operation() == attention.getClass())
            .findFirst()
            .orElseThrow();
    enqueue(kernel, attention);
  }

  private <O extends Operation> void enqueue(Specialisation<O> kernel, Operation attention) {
    kernel.enqueue(kernel.operation().cast(attention), backend.launches());
  }
}
