package org.sparkformer.opencl.kernels;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.sparkformer.opencl.Launch;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.AttentionBackward;
import org.sparkformer.tensor.ops.AttentionForward;
import org.sparkformer.tensor.ops.Copy;

/**
 * What the kernels of attention share: macros and the arguments at either end.
 *
 * @param own queries, or keys, that a work-group owns
 * @param items work-items of a group
 * @param deltas queries whose row sums a work-group takes
 */
record AttentionLaunch(
    AttentionForward operation,
    AttentionPass pass,
    String file,
    Map<String, Integer> tiles,
    int own,
    int items,
    int deltas) {

  /** Queues gradients for y's in fp32, from a copy where those are bf16. */
  static void ofExactGradient(
      AttentionBackward operation, LaunchContext context, Consumer<AttentionBackward> exact) {
    if (!Elements.isBfloat16(operation.dy())) {
      exact.accept(operation);
      return;
    }
    try (Tensor dy = context.floats(operation.dy().size())) {
      ElementwiseKernels.copy(new Copy(operation.dy(), dy), context);
      exact.accept(operation.of(dy));
    }
  }

  /** The same for gradients of a tensor's type. */
  AttentionLaunch giving(Tensor gradient) {
    Map<String, Integer> macros = new HashMap<>(tiles);
    Elements.define(macros, "GRADIENT_BF16", gradient);
    return new AttentionLaunch(operation, pass, file, macros, own, items, deltas);
  }

  /** A launch of the pass's kernel, with q, k, v and the key lengths as its first arguments. */
  Launch begin(LaunchContext context) {
    return context
        .kernel(file, pass.kernel(), macros())
        .elements(operation.q())
        .number((long) operation.firstQ())
        .elements(operation.k())
        .number((long) operation.firstK())
        .elements(operation.v())
        .number((long) operation.firstV())
        .tensor(operation.keyLengths());
  }

  private Map<String, Integer> macros() {
    Map<String, Integer> macros = new HashMap<>(tiles);
    macros.put("D", operation.headSize());
    macros.put("CAUSAL", operation.causal() ? 1 : 0);
    macros.put("PADDED", operation.keyLengths() == null ? 0 : 1);
    Dropouts.define(macros, operation);
    Elements.define(macros, "QKV_BF16", operation.q());
    Elements.define(macros, "Y_BF16", operation.y());
    return macros;
  }

  /** Extents, strides and dropout, the last arguments of each kernel; then the launch. */
  void over(Launch launch) {
    launch
        .number(operation.queries())
        .number(operation.keys())
        .number(operation.firstQuery())
        .number(operation.strideQ())
        .number(operation.strideK())
        .number(operation.strideV())
        .number(operation.lengthK())
        .number(operation.lengthV())
        .number(operation.scale());
    Dropouts.pass(launch, operation.dropout());
    groups(launch, Vectors.count(pass.owned(operation), own));
  }

  /** Queues the sums of dy y over rows, which the gradients need. */
  void sumRows(AttentionBackward gradients, LaunchContext context) {
    Map<String, Integer> macros = macros();
    Elements.define(macros, "DY_BF16", gradients.dy());
    Launch launch =
        context
            .kernel(file, "attention_delta", macros)
            .elements(gradients.y())
            .elements(gradients.dy())
            .tensor(gradients.delta())
            .number(gradients.queries());
    groups(launch, Vectors.count(gradients.queries(), deltas));
  }

  /** Launches over so many work-groups for each head of each sequence. */
  private void groups(Launch launch, int groups) {
    launch.over(
        new long[] {groups, operation.heads(), operation.attention().batch()},
        new long[] {items, 1, 1});
  }
}
