package org.sparkformer.opencl.contract;

import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Add;
import org.sparkformer.tensor.ops.Copy;
import org.sparkformer.tensor.ops.Dropout;
import org.sparkformer.tensor.ops.DropoutApply;
import org.sparkformer.tensor.ops.ExactGeluBackward;
import org.sparkformer.tensor.ops.Fill;
import org.sparkformer.tensor.ops.GeluBackward;

/** Fill, copy, add, GELU and dropout. */
public final class ElementwiseCases {
  private ElementwiseCases() {}

  static Stream<OperationCase> all() {
    return Stream.concat(
        LongStream.of(1, 3, 7, 61, 93, 127, 768, 5000).boxed().flatMap(ElementwiseCases::of),
        of(1501).map(OperationCase::aligned));
  }

  private static Stream<OperationCase> of(long n) {
    Gradient gelu = new Gradient(w -> activated(w, n), Map.of("dx", "x"), Gradient.dot("y", "dy"));
    Gradient exact =
        new Gradient(w -> activatedExactly(w, n), Map.of("dx", "x"), Gradient.dot("y", "dy"));
    Gradient dropout =
        new Gradient(
            w -> new DropoutApply(w.input("u", n), w.output("v", n), dropout(3)),
            Map.of("y", "u"),
            Gradient.dot("v", "x"));
    return Stream.of(
        fill(n),
        copy(n),
        add(n),
        addInPlace(n),
        geluBackward(n).withGradient(n < 100 ? gelu : null),
        exactGeluBackward(n).withGradient(n < 100 ? exact : null),
        dropout(n, 3).withGradient(n < 100 ? dropout : null),
        dropout(n, (1L << 33) - 2),
        dropoutInPlace(n),
        add(n).withBfloat16("b"),
        copy(n).withBfloat16("x"),
        copy(n).withBfloat16("y"),
        copy(n).withBfloat16("x", "y"),
        geluBackward(n).withBfloat16("x"),
        geluBackward(n).withBfloat16("x", "dy", "dx"),
        exactGeluBackward(n).withBfloat16("x"),
        exactGeluBackward(n).withBfloat16("x", "dy", "dx"),
        geluBackwardInPlace(n),
        geluBackwardInPlace(n).withBfloat16("x", "dy"),
        exactGeluBackwardInPlace(n),
        exactGeluBackwardInPlace(n).withBfloat16("x"));
  }

  public static OperationCase fill(long n) {
    return new OperationCase("Fill " + n, w -> new Fill(w.output("x", n), 2.5f), Tolerance.EXACT);
  }

  public static OperationCase copy(long n) {
    return new OperationCase(
        "Copy " + n, w -> new Copy(w.input("x", n), w.output("y", n)), Tolerance.EXACT);
  }

  public static OperationCase add(long n) {
    return new OperationCase(
        "Add " + n,
        w -> new Add(w.input("a", n), w.input("b", n), w.output("y", n)),
        Tolerance.EXACT);
  }

  private static OperationCase addInPlace(long n) {
    return new OperationCase(
        "Add in place " + n,
        w -> {
          Tensor a = w.updated("a", n);
          return new Add(a, w.input("b", n), a);
        },
        Tolerance.EXACT);
  }

  /** GELU itself, which training asks for beside its slope alone. */
  private static GeluBackward activated(Workspace w, long n) {
    return new GeluBackward(
        w.given("x", wide(n), n), w.input("u", n), w.output("v", n), w.output("y", n));
  }

  private static ExactGeluBackward activatedExactly(Workspace w, long n) {
    return new ExactGeluBackward(
        w.given("x", wide(n), n), w.input("u", n), w.output("v", n), w.output("y", n));
  }

  public static OperationCase geluBackward(long n) {
    return new OperationCase(
        "GeluBackward " + n,
        w -> new GeluBackward(w.given("x", wide(n), n), w.input("dy", n), w.output("dx", n), null),
        // 1 - t^2 cancels where t is near 1: 5 units in t's last place count v slope times, at
        // |v| up to 9 and with dy about 2.
        new Tolerance(1e-6, 4e-5));
  }

  /** As training has it: everything where something else was. */
  private static OperationCase geluBackwardInPlace(long n) {
    return new OperationCase(
        "GeluBackward in place " + n,
        w -> {
          Tensor x = w.updatedFrom("x", wide(n), n);
          Tensor dy = w.updated("dy", n);
          return new GeluBackward(x, dy, dy, x);
        },
        new Tolerance(1e-6, 4e-5));
  }

  private static OperationCase exactGeluBackwardInPlace(long n) {
    return new OperationCase(
        "ExactGeluBackward in place " + n,
        w -> {
          Tensor x = w.updatedFrom("x", wide(n), n);
          Tensor dy = w.updated("dy", n);
          return new ExactGeluBackward(x, dy, dy, x);
        },
        new Tolerance(1e-6, 4e-6));
  }

  public static OperationCase exactGeluBackward(long n) {
    return new OperationCase(
        "ExactGeluBackward " + n,
        w ->
            new ExactGeluBackward(
                w.given("x", wide(n), n), w.input("dy", n), w.output("dx", n), null),
        // The slope is a sum of two terms of up to 1, and dy is up to about 4.
        new Tolerance(1e-6, 4e-6));
  }

  /** Both tails: GELU is 0 or x beyond about 6. */
  private static float[] wide(long n) {
    float[] values = Workspace.normal("x", n);
    for (int i = 0; i < values.length; i++) {
      values[i] *= 3;
    }
    return values;
  }

  public static OperationCase dropout(long n, long firstElement) {
    return new OperationCase(
        "DropoutApply " + n + " from " + firstElement,
        w -> new DropoutApply(w.input("x", n), w.output("y", n), dropout(firstElement)),
        Tolerance.EXACT);
  }

  private static OperationCase dropoutInPlace(long n) {
    return new OperationCase(
        "DropoutApply in place " + n,
        w -> {
          Tensor x = w.updated("x", n);
          return new DropoutApply(x, x, dropout(5));
        },
        Tolerance.EXACT);
  }

  private static Dropout dropout(long firstElement) {
    return new Dropout(0.3f, 0x1234_5678_9abc_def0L, 17, 4, firstElement);
  }
}
