package org.sparkformer.opencl.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import java.util.function.Consumer;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.ops.Operation;
import org.sparkformer.tensor.reference.JavaBackend;

/** What an operation gives on a backend, held against its definition in Java. */
final class Agreement {
  private Agreement() {}

  /**
   * Fails where an output lies further from the definition's than the case's tolerance and, where
   * it is bf16, one rounding explain; or where anything else was written.
   *
   * @param run runs an operation on the backend's tensors
   */
  static void check(OperationCase test, Backend backend, Consumer<Operation> run) {
    Map<String, float[]> expected = exactly(test);
    try (Workspace workspace = new Workspace(backend)) {
      run.accept(test.factory().apply(workspace));
      backend.finish();
      workspace
          .read()
          .forEach(
              (name, actual) ->
                  Comparison.near(
                      name, actual, expected.get(name), tolerance(workspace, name, test)));
    }
  }

  /** Fails where an operation gives other bits on one backend than on the other. */
  static void sameBits(OperationCase test, Backend first, Backend second) {
    sameBits(results(test, first, first::run), results(test, second, second::run));
  }

  /**
   * Fails where an operation gives other bits by one way to run it on a backend than by another.
   */
  static void sameBits(
      OperationCase test, Backend backend, Consumer<Operation> first, Consumer<Operation> second) {
    sameBits(results(test, backend, first), results(test, backend, second));
  }

  private static void sameBits(Map<String, float[]> expected, Map<String, float[]> actual) {
    assertEquals(expected.keySet(), actual.keySet());
    expected.forEach(
        (name, values) -> assertArrayEquals(bits(values), bits(actual.get(name)), name));
  }

  private static Map<String, float[]> results(
      OperationCase test, Backend backend, Consumer<Operation> run) {
    try (Workspace workspace = new Workspace(backend)) {
      run.accept(test.factory().apply(workspace));
      backend.finish();
      return workspace.read();
    }
  }

  private static int[] bits(float[] values) {
    int[] bits = new int[values.length];
    for (int i = 0; i < values.length; i++) {
      bits[i] = Float.floatToIntBits(values[i]);
    }
    return bits;
  }

  private static Map<String, float[]> exactly(OperationCase test) {
    try (JavaBackend java = new JavaBackend();
        Workspace workspace = Workspace.exact(java)) {
      java.run(test.factory().apply(workspace));
      return workspace.read();
    }
  }

  private static Tolerance tolerance(Workspace workspace, String name, OperationCase test) {
    if (!workspace.isOutput(name)) {
      return Tolerance.EXACT;
    }
    return workspace.isBfloat16(name) ? test.tolerance().rounded() : test.tolerance();
  }
}
