package org.sparkformer.opencl.kernels;

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
    MatMulLaunch.begin(product, context, FILE, "matmul", blocks.macros())
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
}
