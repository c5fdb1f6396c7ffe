package org.sparkformer.opencl.contract;

import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Dropout;
import org.sparkformer.tensor.ops.DropoutApply;
import org.sparkformer.tensor.ops.LayerNormBackward;
import org.sparkformer.tensor.ops.LayerNormForward;
import org.sparkformer.tensor.ops.LayerNormWeightBackward;
import org.sparkformer.tensor.ops.Operation;

/** Layer normalisation, forward and backward. */
public final class LayerNormCases {
  private static final float EPSILON = 1e-5f;

  private LayerNormCases() {}

  static Stream<OperationCase> all() {
    Stream<OperationCase> all =
        Stream.of(
                new long[] {1, 1},
                new long[] {3, 7},
                new long[] {5, 61},
                new long[] {61, 3},
                new long[] {7, 93},
                new long[] {127, 127},
                new long[] {93, 768},
                new long[] {259, 130})
            .flatMap(shape -> of(shape[0], shape[1]));
    Stream<OperationCase> rounded =
        Stream.of(backward(7, 93, true), weightBackward(93, 768), backward(93, 768, true))
            .map(test -> test.withBfloat16("dy"));
    return Stream.of(all, rounded, dropping()).flatMap(Function.identity());
  }

  /** With dropout, from numbers and with rows that begin between two counters of four words. */
  static Stream<OperationCase> dropping() {
    return Stream.of(
        dropping(3, 7, 5),
        dropping(127, 127, (1L << 33) - 2),
        dropping(93, 768, 0),
        dropping(7, 93, 3).withBfloat16("y"),
        droppingBackward(3, 7, 5, false),
        droppingBackward(127, 127, (1L << 33) - 2, true),
        droppingBackward(93, 768, 0, true),
        droppingBackward(7, 93, 3, true).withBfloat16("dy"));
  }

  /**
   * Fails where dropout and layer norm in one operation give other bits than one after the other.
   */
  static void checkBitsOfTwo(OperationCase test, Backend backend) {
    Agreement.sameBits(test, backend, backend::run, operation -> runInTwo(operation, backend));
  }

  private static void runInTwo(Operation operation, Backend backend) {
    if (operation instanceof LayerNormForward norm) {
      try (Tensor dropped = backend.allocate(DType.FLOAT32, norm.branch().shape())) {
        backend.run(new DropoutApply(norm.branch(), dropped, norm.dropout()));
        backend.run(
            new LayerNormForward(
                norm.x(),
                dropped,
                norm.sum(),
                norm.weight(),
                norm.bias(),
                norm.y(),
                norm.mean(),
                norm.rstd(),
                norm.epsilon()));
      }
    } else if (operation instanceof LayerNormBackward norm) {
      backend.run(
          new LayerNormBackward(
              norm.dy(),
              norm.x(),
              norm.weight(),
              norm.mean(),
              norm.rstd(),
              norm.dSum(),
              norm.dx()));
      backend.run(new DropoutApply(norm.dx(), norm.dBranch(), norm.dropout()));
    } else {
      throw new IllegalArgumentException("no layer norm: " + operation);
    }
  }

  private static OperationCase dropping(long rows, long columns, long firstElement) {
    return new OperationCase(
        "LayerNormForward with dropout " + rows + " x " + columns,
        w ->
            new LayerNormForward(
                w.input("x", rows, columns),
                w.input("branch", rows, columns),
                w.output("sum", rows, columns),
                w.input("weight", columns),
                w.input("bias", columns),
                w.output("y", rows, columns),
                w.output("mean", rows),
                w.output("rstd", rows),
                EPSILON,
                dropout(firstElement)),
        normalised(columns));
  }

  private static OperationCase droppingBackward(
      long rows, long columns, long firstElement, boolean sum) {
    return backward(rows, columns, dropout(firstElement), sum);
  }

  private static Dropout dropout(long firstElement) {
    return new Dropout(0.3f, 0x1234_5678_9abc_def0L, 17, 4, firstElement);
  }

  private static Stream<OperationCase> of(long rows, long columns) {
    boolean small = rows * columns > 1 && rows * columns < 400;
    Gradient input =
        new Gradient(
            w -> forward(w, rows, columns, false), Map.of("dx", "x"), Gradient.dot("y", "dy"));
    Gradient weights =
        new Gradient(
            w -> forward(w, rows, columns, false),
            Map.of("dWeight", "weight", "dBias", "bias"),
            Gradient.dot("y", "dy"));
    return Stream.of(
        forward(rows, columns, false),
        forward(rows, columns, true),
        forward(rows, columns, false).withBfloat16("y"),
        forward(rows, columns, true).withBfloat16("y"),
        backward(rows, columns, false).withGradient(small ? input : null),
        backward(rows, columns, true),
        backwardInPlace(rows, columns),
        weightBackward(rows, columns).withGradient(small ? weights : null));
  }

  public static OperationCase forward(long rows, long columns, boolean branch) {
    return new OperationCase(
        "LayerNormForward " + rows + " x " + columns + (branch ? " with branch" : ""),
        w -> forward(w, rows, columns, branch),
        normalised(columns));
  }

  /** A row's sums of {@code columns} terms, divided by as much, then scaled by up to about 3. */
  private static Tolerance normalised(long columns) {
    return new Tolerance(2e-6, 2e-6 * Math.sqrt(columns));
  }

  private static LayerNormForward forward(Workspace w, long rows, long columns, boolean branch) {
    return new LayerNormForward(
        w.input("x", rows, columns),
        branch ? w.input("branch", rows, columns) : null,
        branch ? w.output("sum", rows, columns) : null,
        w.input("weight", columns),
        w.input("bias", columns),
        w.output("y", rows, columns),
        w.output("mean", rows),
        w.output("rstd", rows),
        EPSILON);
  }

  public static OperationCase backward(long rows, long columns, boolean sum) {
    return backward(rows, columns, Dropout.NONE, sum);
  }

  private static OperationCase backward(long rows, long columns, Dropout dropout, boolean sum) {
    Map<String, float[]> saved = Workspace.reference(w -> forward(w, rows, columns, false));
    String name = "LayerNormBackward " + (dropout.isNone() ? "" : "with dropout ");
    return new OperationCase(
        name + rows + " x " + columns + (sum ? " with sum" : ""),
        w ->
            new LayerNormBackward(
                w.input("dy", rows, columns),
                w.input("x", rows, columns),
                w.input("weight", columns),
                w.given("mean", saved.get("mean"), rows),
                w.given("rstd", saved.get("rstd"), rows),
                sum ? w.input("dSum", rows, columns) : null,
                w.output("dx", rows, columns),
                dropout.isNone() ? null : w.output("dBranch", rows, columns),
                dropout),
        scaled(saved, columns));
  }

  /** As the forward pass, with rstd, which is large for short rows, once more a factor. */
  private static Tolerance scaled(Map<String, float[]> saved, long columns) {
    double largest = 1;
    for (float rstd : saved.get("rstd")) {
      largest = Math.max(largest, rstd);
    }
    Tolerance tolerance = normalised(columns);
    return new Tolerance(tolerance.relative(), tolerance.absolute() * largest);
  }

  private static OperationCase backwardInPlace(long rows, long columns) {
    Map<String, float[]> saved = Workspace.reference(w -> forward(w, rows, columns, false));
    Function<Workspace, Operation> factory =
        w -> {
          Tensor dSum = w.updated("dSum", rows, columns);
          return new LayerNormBackward(
              w.input("dy", rows, columns),
              w.input("x", rows, columns),
              w.input("weight", columns),
              w.given("mean", saved.get("mean"), rows),
              w.given("rstd", saved.get("rstd"), rows),
              dSum,
              dSum);
        };
    String name = "LayerNormBackward in place " + rows + " x " + columns;
    return new OperationCase(name, factory, scaled(saved, columns));
  }

  public static OperationCase weightBackward(long rows, long columns) {
    Map<String, float[]> saved = Workspace.reference(w -> forward(w, rows, columns, false));
    return new OperationCase(
        "LayerNormWeightBackward " + rows + " x " + columns,
        w ->
            new LayerNormWeightBackward(
                w.input("dy", rows, columns),
                w.input("x", rows, columns),
                w.given("mean", saved.get("mean"), rows),
                w.given("rstd", saved.get("rstd"), rows),
                w.updated("dWeight", columns),
                w.updated("dBias", columns)),
        Tolerance.sum(rows));
  }
}
