package org.sparkformer.opencl.kernels;

import java.util.Map;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.ops.MatMul;

/** Matrix products by {@code matmul.cl}: packed and tiled in registers, for devices with caches. */
public final class PackedMatMul implements Specialisation<MatMul> {
  private static final String FILE = "matmul.cl";

  @Override
  public Class<MatMul> operation() {
    return MatMul.class;
  }

  @Override
  public String description() {
    return FILE + " matmul";
  }

  @Override
  public boolean runsOn(DeviceInfo device) {
    return device.kind() == DeviceInfo.Kind.CPU;
  }

  @Override
  public boolean supports(MatMul operation, DeviceInfo device) {
    return true;
  }

  @Override
  public void enqueue(MatMul product, LaunchContext context) {
    MatMulBlocks blocks =
        MatMulBlocks.of(
            product.m(), product.n(), product.batch(), context.device(), context.tunables(FILE));
    context
        .kernel(FILE, "matmul", macros(product, blocks))
        .tensor(product.a())
        .tensor(product.b())
        .tensor(product.c())
        .tensor(product.bias())
        .tensor(product.activated())
        .number(product.strideA())
        .number(product.strideB())
        .number(product.m())
        .number(product.n())
        .number(product.k())
        .number(blocks.rows())
        .number(blocks.columns())
        .local(blocks.bytesOfA())
        .local(blocks.bytesOfB())
        .over(
            new long[] {
              Vectors.count(product.n(), blocks.columns()),
              Vectors.count(product.m(), blocks.rows()),
              product.batch()
            },
            new long[] {1, 1, 1});
  }

  private static Map<String, Integer> macros(MatMul product, MatMulBlocks blocks) {
    Map<String, Integer> macros = blocks.macros();
    macros.put("TRANSPOSE_A", product.transposeA() ? 1 : 0);
    macros.put("TRANSPOSE_B", product.transposeB() ? 1 : 0);
    macros.put("ACCUMULATE", product.accumulate() ? 1 : 0);
    macros.put("BIAS", product.bias() == null ? 0 : 1);
    macros.put("GELU", product.activated() == null ? 0 : 1);
    return macros;
  }
}
