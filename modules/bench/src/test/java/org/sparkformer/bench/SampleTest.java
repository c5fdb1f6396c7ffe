package org.sparkformer.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.OpenClException;
import org.sparkformer.opencl.WorkItems;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.ops.MatMul;
import org.sparkformer.tensor.ops.Operation;

/** A product that is held to the definition of some of its rows, and what that finds. */
class SampleTest {
  /** Twice the multiply-adds that a definition is run for: every other row, or nearly so. */
  private static final int M = 1030;

  private static final int N = 1000;
  private static final int K = 1025;

  private static OpenClBackend backend;
  private static DrawnTensors tensors;
  private static MatMul product;
  private static KernelCase subject;
  private static Contents contents;

  @BeforeAll
  static void open() {
    backend = OpenClBackend.open(DeviceSelector.AUTO);
    tensors = new DrawnTensors(backend);
    product =
        MatMul.adding(
            tensors.floats(K, M), tensors.floats(K, N), tensors.floats(M, N), true, false);
    subject = KernelCase.product("test", "dW", "backward", product);
    contents = new Contents(backend, backend::run, List.of(subject));
  }

  @AfterAll
  static void close() {
    contents.close();
    tensors.close();
    backend.close();
  }

  /** Multiplies as the backend does, but for one element. */
  private static Consumer<Operation> wrongIn(int row, float factor) {
    return operation -> {
      backend.run(operation);
      float[] c = backend.readFloats(product.c());
      c[row * N + N - 1] *= factor;
      backend.write(product.c(), c);
    };
  }

  private static Expectation expectation() {
    return Expectation.of(backend, contents, subject, backend::run);
  }

  private static List<Long> rows() {
    return Sample.of(product).parts().stream().map(part -> part.first() / N).toList();
  }

  @Test
  void rowsFromTheFirstToTheLastAreTakenWhereAllWouldTakeLong() {
    List<WorkItems> parts = Sample.of(product).parts();
    assertFalse(Sample.of(product).whole());
    assertEquals(new WorkItems(0, N), parts.get(0));
    assertEquals(new WorkItems((M - 1L) * N, N), parts.get(parts.size() - 1));
    assertEquals((1L << 29) / N / K, parts.size());
    assertEquals(parts.size(), rows().stream().distinct().count());
  }

  @Test
  void everyOtherOperationIsTakenWhole() {
    try (KernelCases cases = new KernelCases(backend, ModelShape.SMALL, DType.FLOAT32)) {
      for (KernelCase each : cases.all()) {
        Operation operation = each.operation();
        assertEquals(List.of(WorkItems.all(operation)), Sample.of(operation).parts(), each.op());
      }
    }
  }

  @Test
  void theDefinitionCountsWhereItWasRunAndTheKernelElsewhere() {
    Sample sample = new Sample(List.of(new WorkItems(0, 2), new WorkItems(4, 2)), false);
    float[] expected = sample.over(new float[] {1, 2, 3, 4, 5, 6}, new float[6]);
    assertArrayEquals(new float[] {1, 2, 0, 0, 5, 6}, expected);
  }

  @Test
  void whatIsRightHasNoObjection() {
    assertEquals(Optional.empty(), expectation().objection(backend::run, true));
    assertFalse(expectation().isWhole());
  }

  @Test
  void aWrongElementIsFoundWhereverItIs() {
    long missing = 1;
    while (rows().contains(missing)) {
      missing++;
    }
    for (int row : new int[] {0, (int) missing, M - 1}) {
      String objection = expectation().objection(wrongIn(row, 1.01f), false).orElseThrow();
      assertTrue(objection.contains("element " + (row * N + N - 1)), objection);
    }
  }

  @Test
  void aBuiltInKernelThatIsWrongInARowThatIsTakenIsAnError() {
    Consumer<Operation> wrong = wrongIn(M - 1, 1.01f);
    String message =
        assertThrows(OpenClException.class, () -> Expectation.of(backend, contents, subject, wrong))
            .getMessage();
    assertTrue(message.contains("disagrees with its definition"), message);
  }
}
