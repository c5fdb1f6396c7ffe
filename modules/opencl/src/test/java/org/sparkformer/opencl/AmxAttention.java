package org.sparkformer.opencl;

import org.sparkformer.tensor.ops.Operation;

/** Attention by AMX's tiles; on processors without them the kernels do it in OpenCL C. */
public record AmxAttention(OpenClBackend backend) {

  /** Runs an attention, forward or backward. */
  public void run(Operation attention) {
    Specialisation<?> kernel =
        Kernels.standard().stream()
            .filter(each -> Kernels.file(each).equals("attention_amx"))
            .filter(each -> each.operation() == attention.getClass())
            .findFirst()
            .orElseThrow();
    enqueue(kernel, attention);
  }

  private <O extends Operation> void enqueue(Specialisation<O> kernel, Operation attention) {
    kernel.enqueue(kernel.operation().cast(attention), backend.launches());
  }
}
