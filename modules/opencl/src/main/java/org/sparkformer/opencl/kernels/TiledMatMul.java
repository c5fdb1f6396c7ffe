package org.sparkformer.opencl.kernels;

import java.util.HashMap;
import java.util.Map;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.ops.MatMul;

/** Matrix products by {@code matmul_gpu.cl}: tiles in local memory, for devices of many threads. */
public final class TiledMatMul implements Specialisation<MatMul> {
  private static final String FILE = "matmul_gpu.cl";

  /** Items of a work-group along a side of its tile. */
  private static final int SIDE = 16;

  private static final int SMALL = 4;
  private static final int LARGE = 8;

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
    return !operation.isWide();
  }

  @Override
  public void enqueue(MatMul product, LaunchContext context) {
    Map<String, Integer> macros = new HashMap<>(context.tunables(FILE));
    int work = macros.computeIfAbsent("WORK", ignored -> work(product, context.device()));
    int edge = SIDE * work;
    MatMulLaunch.begin(product, context, FILE, "matmul_gpu", macros)
        .over(
            new long[] {
              Vectors.count(product.n(), edge), Vectors.count(product.m(), edge), product.batch()
            },
            new long[] {SIDE * SIDE, 1, 1});
  }

  /** Large tiles where they give each compute unit one at least. */
  private static int work(MatMul product, DeviceInfo device) {
    int edge = SIDE * LARGE;
    long tiles =
        (long) Vectors.count(product.m(), edge)
            * Vectors.count(product.n(), edge)
            * product.batch();
    return tiles < device.computeUnits() ? SMALL : LARGE;
  }
}
