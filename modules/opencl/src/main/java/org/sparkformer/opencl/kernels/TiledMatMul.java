package org.sparkformer.opencl.kernels;

import java.util.Map;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.ops.MatMul;

/** Matrix products by {@code matmul_gpu.cl}: tiles in local memory, for devices of many threads. */
public final class TiledMatMul implements Specialisation<MatMul> {
  private static final String FILE = "matmul_gpu.cl";

  @Override
  public Class<MatMul> operation() {
    return MatMul.class;
  }

  @Override
  public String description() {
    return FILE + " matmul_gpu";
  }

  @Override
  public boolean runsOn(DeviceInfo device) {
    return device.kind() != DeviceInfo.Kind.CPU;
  }

  @Override
  public boolean supports(MatMul operation, DeviceInfo device) {
    return true;
  }

  @Override
  public void enqueue(MatMul product, LaunchContext context) {
    Map<String, Integer> tunables = context.tunables(FILE);
    int side = tunables.getOrDefault("SIDE", 16);
    int edge = side * tunables.getOrDefault("WORK", 4);
    MatMulLaunch.begin(product, context, FILE, "matmul_gpu", tunables)
        .over(
            new long[] {
              Vectors.count(product.n(), edge), Vectors.count(product.m(), edge), product.batch()
            },
            new long[] {side, side, 1});
  }
}
