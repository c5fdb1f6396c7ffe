package org.sparkformer.bench;

import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Stream;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.kernels.HostArithmetic;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.AttentionBackward;
import org.sparkformer.tensor.ops.AttentionForward;
import org.sparkformer.tensor.ops.Binding;
import org.sparkformer.tensor.ops.MatMul;
import org.sparkformer.tensor.ops.Operation;

/**
 * One operation at one shape, ready to run.
 *
 * @param op family, as in the bench's table
 * @param shape for people and scripts
 * @param direction {@code forward} or {@code backward}
 * @param operation what is timed; its tensors stay allocated while the case is in use
 * @param flops floating-point operations of one run, masked work left out; 0 where bytes decide
 * @param bytes that one run must at least move to and from memory
 */
record KernelCase(
    String op, String shape, String direction, Operation operation, double flops, double bytes) {

  /**
   * A matrix product.
   *
   * @param model whose step has it
   */
  static KernelCase product(String model, String name, String direction, MatMul product) {
    String extents = product.m() + "x" + product.n() + "x" + product.k();
    String shape = product.batch() == 1 ? extents : product.batch() + "x" + extents;
    double flops = 2.0 * product.batch() * product.m() * product.n() * product.k();
    double bytes =
        bytes(product.a(), product.b(), product.c(), product.activated())
            + (product.accumulate() ? bytes(product.c()) : 0);
    return new KernelCase("matmul " + name, model + " " + shape, direction, product, flops, bytes);
  }

  /**
   * @param passes what is read and what is written, one after the other; null for none
   */
  static double bytes(Tensor... passes) {
    return Arrays.stream(passes).filter(Objects::nonNull).mapToDouble(Tensor::bytes).sum();
  }

  /** Whether arithmetic, not memory, is the limit to compare with. */
  boolean computeBound() {
    return flops > 0;
  }

  /** {@code bf16} where a tensor is, or a product rounds its operands to it; else {@code fp32}. */
  String dtype() {
    boolean rounds = operation instanceof MatMul product && product.rounds();
    boolean holds = tensors().anyMatch(tensor -> tensor.dtype() == DType.BFLOAT16);
    return rounds || holds ? "bf16" : "fp32";
  }

  /**
   * What the operation rounds its operands to before it multiplies them, which need not be what its
   * tensors hold: on a processor without AMX attention multiplies fp32.
   */
  DType multiplies(DeviceInfo.Kind kind) {
    if (operation instanceof MatMul product) {
      return product.operands();
    }
    if (kind == DeviceInfo.Kind.CPU && !HostArithmetic.TILES.isAvailable()) {
      return DType.FLOAT32;
    }
    if (operation instanceof AttentionForward forward) {
      return forward.attention().operands();
    }
    return operation instanceof AttentionBackward backward
        ? backward.forward().attention().operands()
        : DType.FLOAT32;
  }

  /** The operation's tensors, integers among them. */
  private Stream<Tensor> tensors() {
    return Binding.of(operation).arguments().stream()
        .filter(Binding.Argument::isArray)
        .map(argument -> argument.tensor(operation))
        .filter(Objects::nonNull);
  }
}
