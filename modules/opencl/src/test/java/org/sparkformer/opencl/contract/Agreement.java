package org.sparkformer.opencl.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.sparkformer.opencl.HostProducts;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.kernels.HostArithmetic;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.ops.MatMul;
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
    check(test, backend, run, (operation, java) -> java.run(operation));
  }

  /** The same of what a backend runs it by: products of parts of fp32 against their true sums. */
  static void check(OperationCase test, OpenClBackend backend) {
    if (isOfParts(test, backend)) {
      checkSums(test, backend, backend::run);
    } else {
      check(test, backend, backend::run);
    }
  }

  private static boolean isOfParts(OperationCase test, OpenClBackend backend) {
    try (Workspace workspace = new Workspace(backend)) {
      return test.factory().apply(workspace) instanceof MatMul product
          && new HostProducts(HostArithmetic.SPLIT, backend).areChosenFor(product);
    }
  }

  /** The same against sums in double precision, of products of fp32. */
  static void checkSums(OperationCase test, Backend backend, Consumer<Operation> run) {
    check(test, backend, run, (product, java) -> DoubleSums.run((MatMul) product, java));
  }

  private static void check(
      OperationCase test,
      Backend backend,
      Consumer<Operation> run,
      BiConsumer<Operation, Backend> definition) {
    Map<String, float[]> expected = exactly(test, definition);
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

  private static Map<String, float[]> exactly(
      OperationCase test, BiConsumer<Operation, Backend> definition) {
    try (JavaBackend java = new JavaBackend();
        Workspace workspace = Workspace.exact(java)) {
      definition.accept(test.factory().apply(workspace), java);
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
