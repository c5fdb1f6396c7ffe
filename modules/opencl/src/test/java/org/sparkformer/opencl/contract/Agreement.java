package org.sparkformer.opencl.contract;

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
