package org.sparkformer.opencl.contract;

import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.sparkformer.tensor.ops.BlockSum;
import org.sparkformer.tensor.ops.ColumnSum;

/** Sums over blocks and over columns. */
public final class ReductionCases {
  private ReductionCases() {}

  static Stream<OperationCase> all() {
    Stream<OperationCase> blocks =
        LongStream.of(1, 3, 61, 127, 1023, 1024, 1025, 5000)
            .boxed()
            .flatMap(n -> Stream.of(blockSum(n, false), blockSum(n, true)));
    Stream<OperationCase> columns =
        Stream.of(
                new long[] {1, 1},
                new long[] {3, 7},
                new long[] {61, 3},
                new long[] {7, 93},
                new long[] {127, 127},
                new long[] {259, 130},
                new long[] {62, 132},
                new long[] {93, 768})
            .flatMap(
                shape -> Stream.of(columnSum(shape[0], shape[1]), filledUp(shape[0], shape[1])))
            .flatMap(sum -> Stream.of(sum, sum.withBfloat16("x")))
            .flatMap(sum -> Stream.of(sum, sum.aligned()));
    return Stream.concat(blocks, columns);
  }

  public static OperationCase blockSum(long n, boolean squared) {
    return new OperationCase(
        "BlockSum " + n + (squared ? " squared" : ""),
        w -> new BlockSum(w.input("x", n), w.output("y", BlockSum.blocks(n)), squared),
        Tolerance.sum(Math.min(n, BlockSum.BLOCK)));
  }

  /** Of rows that have more columns in memory. */
  private static OperationCase filledUp(long rows, long columns) {
    return new OperationCase(
        "ColumnSum " + rows + " x " + columns + " filled up",
        w -> new ColumnSum(w.input("x", rows, columns + 5), w.updated("y", columns)),
        Tolerance.sum(rows));
  }

  public static OperationCase columnSum(long rows, long columns) {
    return new OperationCase(
        "ColumnSum " + rows + " x " + columns,
        w -> new ColumnSum(w.input("x", rows, columns), w.updated("y", columns)),
        Tolerance.sum(rows));
  }
}
