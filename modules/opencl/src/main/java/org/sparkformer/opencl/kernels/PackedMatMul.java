package org.sparkformer.opencl.kernels;

import java.util.Map;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.OpenClException;
import org.sparkformer.opencl.ProductCheck;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.MatMul;

/** Matrix products by {@code matmul.cl}: packed and tiled in registers, for devices with caches. */
public final class PackedMatMul implements Specialisation<MatMul> {
  private static final System.Logger LOG = System.getLogger(PackedMatMul.class.getName());

  private static final int TILES_A_GROUP = 8;

  /** Some of AMX's tiles each way, and edges. */
  private static final ProductCheck CHECK = new ProductCheck(40, 35, 70);

  private final HostArithmetic arithmetic;
  private final String file;
  private boolean reported;

  /**
   * @param arithmetic of pairs or tiles: for bf16 operands alone, on processors that have it
   */
  public PackedMatMul(HostArithmetic arithmetic) {
    this.arithmetic = arithmetic;
    this.file =
        switch (arithmetic) {
          case FP32, PAIRS -> "matmul.cl";
          case TILES -> "matmul_tiles.cl";
          case SPLIT -> "matmul_split.cl";
        };
  }

  @Override
  public Class<MatMul> operation() {
    return MatMul.class;
  }

  @Override
  public String description() {
    return file + " matmul" + arithmetic.label();
  }

  @Override
  public boolean runsOn(DeviceInfo device) {
    return runsOn(arithmetic, device);
  }

  /** Whether a device is a processor that has the arithmetic. */
  static boolean runsOn(HostArithmetic arithmetic, DeviceInfo device) {
    boolean wide = Vectors.width(device) == HostArithmetic.VECTOR;
    return device.kind() == DeviceInfo.Kind.CPU
        && arithmetic.isAvailable()
        && (wide || arithmetic == HostArithmetic.FP32);
  }

  @Override
  public boolean supports(MatMul operation, DeviceInfo device) {
    if (operation.isWide()) {
      return false;
    }
    return switch (arithmetic) {
      case FP32 -> true;
      case PAIRS -> operation.rounds();
      // Half a register of rows costs as much as a whole one.
      case TILES -> operation.rounds() && operation.m() > MatMulBlocks.TILE / 2;
      case SPLIT -> isOfFloats(operation) && operation.m() > MatMulBlocks.TILE / 2;
    };
  }

  private static boolean isOfFloats(MatMul product) {
    return !product.rounds()
        && !Elements.isBfloat16(product.a())
        && !Elements.isBfloat16(product.b());
  }

  @Override
  public void enqueue(MatMul product, LaunchContext context) {
    if (product.rounds() && arithmetic == HostArithmetic.FP32 && !reported) {
      reported = true;
      LOG.log(
          System.Logger.Level.WARNING,
          "bf16 brings no speed here: this device has no AVX512_BF16, so operands are rounded to"
              + " bf16 and multiplied as fp32");
    }
    Map<String, Integer> tunables = context.tunables(file);
    MatMulBlocks largest = MatMulBlocks.of(product, arithmetic, context.device(), tunables);
    ReadyOperands ready = ReadyOperands.of(product, largest);
    MatMulBlocks blocks = largest.inLocalMemory(product, ready, context.device().memory().local());
    Map<String, Integer> macros = blocks.macros();
    if (arithmetic.isOfTiles()) {
      macros.put("VAIN", tunables.get("VAIN"));
    }
    macros.put("READY_A", ready.a() ? 1 : 0);
    macros.put("READY_B", ready.b() ? 1 : 0);
    try (Tensor a = ready.a() ? packA(product, context, blocks, macros) : null;
        Tensor b = ready.b() ? packB(product, context, blocks, macros) : null;
        Tensor sums = blocks.keepsSums(product) ? context.floats(product.c().size()) : null) {
      MatMulLaunch.begin(product, context, file, "matmul", macros)
          .tensor(sums)
          .number(blocks.rows())
          .number(blocks.columns())
          .number(blocks.stripColumns())
          .tensor(a)
          .tensor(b)
          .local(ready.a() ? Float.BYTES : blocks.bytesOfA())
          .local(ready.b() ? Float.BYTES : blocks.bytesOfB())
          .over(
              new long[] {
                Vectors.count(product.n(), blocks.columns()),
                Vectors.count(product.m(), blocks.rows()),
                product.batch()
              },
              new long[] {1, 1, 1});
    }
  }

  /** What the system lets a process use a hypervisor or an emulator may still do wrongly. */
  @Override
  public void prove(Backend backend, LaunchContext context) {
    DType operands = arithmetic == HostArithmetic.SPLIT ? DType.FLOAT32 : DType.BFLOAT16;
    if (arithmetic.isOfTiles()
        && !CHECK.isRight(backend, product -> enqueue(product.with(operands), context))) {
      throw new OpenClException("a product by AMX's tiles is wrong");
    }
  }

  private Tensor packA(
      MatMul product, LaunchContext context, MatMulBlocks blocks, Map<String, Integer> macros) {
    Tensor panels = context.floats(blocks.wordsOfReadyA(product));
    int rows = TILES_A_GROUP * blocks.tileRows();
    MatMulLaunch.kernel(product, context, file, "pack_a", macros)
        .elements(product.a())
        .tensor(panels)
        .number(product.m())
        .number(product.k())
        .number(rows)
        .over(
            new long[] {Vectors.count(product.m(), rows), blocks.chunks(product)},
            new long[] {1, 1});
    return panels;
  }

  private Tensor packB(
      MatMul product, LaunchContext context, MatMulBlocks blocks, Map<String, Integer> macros) {
    Tensor panels = context.floats(blocks.wordsOfReadyB(product));
    int columns = TILES_A_GROUP * blocks.tileColumns();
    MatMulLaunch.kernel(product, context, file, "pack_b", macros)
        .elements(product.b())
        .tensor(panels)
        .number(product.n())
        .number(product.k())
        .number(columns)
        .over(
            new long[] {Vectors.count(product.n(), columns), blocks.chunks(product)},
            new long[] {1, 1});
    return panels;
  }
}
