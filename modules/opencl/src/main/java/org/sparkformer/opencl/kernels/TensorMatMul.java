package org.sparkformer.opencl.kernels;

import java.util.HashMap;
import java.util.Map;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.Launch;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.MatMul;

/** Matrix products of bf16 operands by {@code matmul_tensor.cl}, on NVIDIA's tensor cores. */
public final class TensorMatMul implements Specialisation<MatMul> {
  private static final String FILE = "matmul_tensor.cl";
  private static final int COMBINE_ITEMS = 256;

  @Override
  public Class<MatMul> operation() {
    return MatMul.class;
  }

  @Override
  public String description() {
    return FILE + " matmul_tensor (bf16 by mma.sync)";
  }

  @Override
  public boolean runsOn(DeviceInfo device) {
    return NvidiaDevice.multipliesBfloat16(device);
  }

  @Override
  public boolean supports(MatMul operation, DeviceInfo device) {
    return operation.rounds();
  }

  @Override
  public void enqueue(MatMul product, LaunchContext context) {
    DeviceInfo device = context.device();
    enqueue(product, context, FILE, TensorTiles.of(product, device, context.tunables(FILE)));
  }

  /**
   * Queues the packing of operands that need it, their product and, where its inner product is
   * divided, the sums of the parts.
   *
   * @param file one that includes {@code matmul_packed.cl} and names its kernel after itself
   */
  static void enqueue(MatMul product, LaunchContext context, String file, TensorTiles tiles) {
    if (TensorTiles.parts(product) == 1) {
      multiply(product, context, file, tiles, product.c(), MatMulLaunch.ending(product));
      return;
    }
    try (Tensor sums = context.floats(TensorTiles.parts(product) * product.workItems())) {
      multiply(product, context, file, tiles, sums, Map.of());
      combine(product, context, file, sums);
    }
  }

  /**
   * @param c of the product, or a C for each of its parts
   * @param ending macros of what is done to a sum besides
   */
  private static void multiply(
      MatMul product,
      LaunchContext context,
      String file,
      TensorTiles tiles,
      Tensor c,
      Map<String, Integer> ending) {
    PackedOperand left = PackedOperand.left(product);
    PackedOperand right = PackedOperand.right(product);
    Map<String, Integer> macros = new HashMap<>(context.tunables(file));
    macros.putAll(tiles.macros());
    macros.putAll(ending);
    macros.put("PTX", NvidiaDevice.ptx(context.device()));
    macros.put("A_ACROSS", left.across() ? 1 : 0);
    macros.put("B_ACROSS", right.across() ? 1 : 0);
    macros.put("RAGGED", product.k() % tiles.step() == 0 ? 0 : 1);
    try (Tensor a = left.pack(file, product.batch(), context);
        Tensor b = right.pack(file, product.batch(), context)) {
      context
          .kernel(file, file.replace(".cl", ""), macros)
          .elements(a == null ? left.source() : a)
          .elements(b == null ? right.source() : b)
          .elements(c)
          .tensor(product.bias())
          .elements(product.activated())
          .number(left.batchStride())
          .number(right.batchStride())
          .number(left.stride())
          .number(right.stride())
          .number(product.m())
          .number(product.n())
          .number(product.k())
          .number(TensorTiles.parts(product) == 1 ? product.widthC() : product.n())
          .number(TensorTiles.partDepth(product))
          .over(
              new long[] {tiles.count(product), TensorTiles.parts(product), product.batch()},
              new long[] {tiles.items(), 1, 1});
    }
  }

  private static void combine(MatMul product, LaunchContext context, String file, Tensor sums) {
    Map<String, Integer> macros = MatMulLaunch.ending(product);
    macros.put("PTX", NvidiaDevice.ptx(context.device()));
    context
        .kernel(file, "combine", macros)
        .tensor(sums)
        .elements(product.c())
        .tensor(product.bias())
        .elements(product.activated())
        .number(product.workItems())
        .number(product.n())
        .number(product.widthC())
        .number(TensorTiles.parts(product))
        .over(Launch.groups(product.workItems(), COMBINE_ITEMS), COMBINE_ITEMS);
  }
}
