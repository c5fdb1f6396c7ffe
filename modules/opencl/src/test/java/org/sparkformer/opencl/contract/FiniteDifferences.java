package org.sparkformer.opencl.contract;

import java.util.Map;
import org.sparkformer.tensor.reference.JavaBackend;

/** Central differences of the forward operation's Java definition. */
final class FiniteDifferences {
  private static final int MOST_ELEMENTS = 60;

  /** Large enough for fp32 results to differ in four digits, small against the values' scale. */
  private static final float STEP = 1e-2f;

  /** Third derivatives times the square of the step, and fp32 rounding divided by it. */
  private static final Tolerance TOLERANCE = new Tolerance(5e-3, 5e-3);

  private FiniteDifferences() {}

  static void check(OperationCase test) {
    try (JavaBackend java = new JavaBackend();
        Workspace workspace = new Workspace(java)) {
      var operation = test.factory().apply(workspace);
      Map<String, float[]> before = workspace.read();
      java.run(operation);
      Map<String, float[]> after = workspace.read();
      test.gradient()
          .of()
          .forEach(
              (gradient, variable) ->
                  check(test, variable, before, change(gradient, before, after)));
    }
  }

  /** What the operation wrote: less what was there, where it accumulates. */
  private static float[] change(
      String name, Map<String, float[]> before, Map<String, float[]> after) {
    float[] change = after.get(name).clone();
    float[] earlier = before.get(name);
    boolean overwritten = Float.isNaN(earlier[0]) || name.equals("logits");
    for (int i = 0; !overwritten && i < change.length; i++) {
      change[i] -= earlier[i];
    }
    return change;
  }

  private static void check(
      OperationCase test, String variable, Map<String, float[]> before, float[] gradient) {
    int stride = Math.max(1, gradient.length / MOST_ELEMENTS);
    float[] start = Workspace.reference(test.gradient().forward()).get(variable);
    for (int i = 0; i < gradient.length; i += stride) {
      double above = loss(test, variable, start, i, STEP, before);
      double below = loss(test, variable, start, i, -STEP, before);
      float slope = (float) ((above - below) / (2 * STEP));
      if (!TOLERANCE.accepts(gradient[i], slope)) {
        throw new AssertionError(
            "gradient of %s[%d] is %s, finite differences give %s"
                .formatted(variable, i, gradient[i], slope));
      }
    }
  }

  private static double loss(
      OperationCase test,
      String variable,
      float[] start,
      int element,
      float step,
      Map<String, float[]> before) {
    float[] moved = start.clone();
    moved[element] += step;
    Map<String, float[]> forward =
        Workspace.reference(test.gradient().forward(), Map.of(variable, moved));
    return test.gradient().loss().applyAsDouble(forward, before);
  }
}
