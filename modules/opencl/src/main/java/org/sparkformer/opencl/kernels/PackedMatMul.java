package org.sparkformer.opencl.kernels;

import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.ops.MatMul;

/** Matrix products by {@code matmul.cl}: packed and tiled in registers, for devices with caches. */
public final class PackedMatMul implements Specialisation<MatMul> {
  private static final System.Logger LOG = System.getLogger(PackedMatMul.class.getName());
  private static final String FILE = "matmul.cl";

  private final boolean pairs;
  private boolean reported;

  /**
   * @param pairs for bf16 operands alone, on processors that multiply pairs of them
   */
  public PackedMatMul(boolean pairs) {
    this.pairs = pairs;
  }

  @Override
  public Class<MatMul> operation() {
    return MatMul.class;
  }

  @Override
  public String description() {
    return FILE + (pairs ? " matmul (bf16 by AVX512_BF16)" : " matmul");
  }

  @Override
  public boolean runsOn(DeviceInfo device) {
    return device.kind() == DeviceInfo.Kind.CPU && (!pairs || HostProcessor.multipliesBfloat16());
  }

  @Override
  public boolean supports(MatMul operation, DeviceInfo device) {
    return !pairs || operation.rounds();
  }

  @Override
  public void enqueue(MatMul product, LaunchContext context) {
    if (product.rounds() && !pairs && !reported) {
      reported = true;
      LOG.log(
          System.Logger.Level.WARNING,
          "bf16 brings no speed here: this processor has no AVX512_BF16, so operands are rounded to"
              + " bf16 and multiplied as fp32");
    }
    MatMulBlocks blocks = MatMulBlocks.of(product, pairs, context.device(), context.tunables(FILE));
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
