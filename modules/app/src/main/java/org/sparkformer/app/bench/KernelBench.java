package org.sparkformer.app.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Gelu;
import org.sparkformer.tensor.ops.MatMul;
import org.sparkformer.tensor.ops.Operation;

/**
 * Times the kernels that a training step spends its time in, at the shapes of one GPT block. Each
 * figure is the median of several rounds of wall time, the wait for the device included.
 */
public final class KernelBench {
  private static final int ROUNDS = 5;
  private static final double ROUND_SECONDS = 0.2;

  private final Backend backend;

  public KernelBench(Backend backend) {
    this.backend = backend;
  }

  /**
   * One measured kernel.
   *
   * @param name operation and shape
   * @param microseconds of one launch
   * @param rate GFLOP/s or GB/s, see {@code unit}
   */
  public record Result(String name, double microseconds, double rate, String unit) {}

  /**
   * @param rows tokens of a micro-batch, R
   * @param width of the residual stream, C
   */
  public List<Result> run(int rows, int width) {
    List<Result> results = new ArrayList<>();
    results.add(product("matmul %d x %d x %d", rows, 4 * width, width, false, false));
    results.add(product("matmul %d x %d x %d, B transposed", rows, width, 4 * width, false, true));
    results.add(product("matmul %d x %d x %d, A transposed", width, 4 * width, rows, true, false));
    results.add(gelu(rows, 4 * width));
    return results;
  }

  private Result product(String name, int m, int n, int k, boolean transposeA, boolean transposeB) {
    Tensor a = filled(transposeA ? k : m, transposeA ? m : k);
    Tensor b = filled(transposeB ? n : k, transposeB ? k : n);
    Tensor c = backend.floats(m, n);
    try {
      double seconds = seconds(MatMul.of(a, b, c, transposeA, transposeB));
      double operations = 2.0 * m * n * k;
      return new Result(
          name.formatted(m, n, k), seconds * 1e6, operations / seconds / 1e9, "GFLOP/s");
    } finally {
      Arrays.asList(a, b, c).forEach(Tensor::close);
    }
  }

  private Result gelu(int rows, int columns) {
    Tensor x = filled(rows, columns);
    Tensor y = backend.floats(rows, columns);
    try {
      double seconds = seconds(new Gelu(x, y));
      double bytes = 8.0 * rows * columns;
      return new Result(
          "gelu %d x %d".formatted(rows, columns), seconds * 1e6, bytes / seconds / 1e9, "GB/s");
    } finally {
      Arrays.asList(x, y).forEach(Tensor::close);
    }
  }

  private Tensor filled(int rows, int columns) {
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (i % 17 - 8) / 8f;
    }
    Tensor tensor = backend.floats(rows, columns);
    backend.write(tensor, values);
    return tensor;
  }

  /**
   * Seconds of one launch. The first launches build the kernel and warm it up, and do not count.
   */
  private double seconds(Operation operation) {
    int launches = 1;
    double took = time(operation, launches);
    while (took < ROUND_SECONDS / 2) {
      launches *= 2;
      took = time(operation, launches);
    }
    // One round will do for what takes seconds: noise is small beside it.
    double[] rounds = new double[took > 1 ? 1 : ROUNDS];
    for (int i = 0; i < rounds.length; i++) {
      rounds[i] = time(operation, launches) / launches;
    }
    Arrays.sort(rounds);
    return rounds[rounds.length / 2];
  }

  private double time(Operation operation, int launches) {
    long start = System.nanoTime();
    for (int i = 0; i < launches; i++) {
      backend.run(operation);
    }
    backend.finish();
    return (System.nanoTime() - start) / 1e9;
  }
}
