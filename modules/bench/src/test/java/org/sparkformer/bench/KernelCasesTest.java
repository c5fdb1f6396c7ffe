package org.sparkformer.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.models.Batch;
import org.sparkformer.models.BertConfiguration;
import org.sparkformer.models.DropoutSites;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.models.ModelConfiguration;
import org.sparkformer.models.ParameterStore;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.kernels.HostArithmetic;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Tape;
import org.sparkformer.tensor.ops.AdamW;
import org.sparkformer.tensor.ops.Add;
import org.sparkformer.tensor.ops.Binding;
import org.sparkformer.tensor.ops.Binding.Argument;
import org.sparkformer.tensor.ops.BlockSum;
import org.sparkformer.tensor.ops.Copy;
import org.sparkformer.tensor.ops.Fill;
import org.sparkformer.tensor.ops.MatMul;
import org.sparkformer.tensor.ops.Operation;
import org.sparkformer.tensor.reference.JavaBackend;

class KernelCasesTest {
  private static final int LENGTH = 5;
  private static final int VOCABULARY = 11;

  /** Of the optimizer, and what two gradients of one variable need, which a GPT has not. */
  private static final Set<Class<?>> BESIDE = Set.of(AdamW.class, BlockSum.class, Add.class);

  private final Backend backend = new JavaBackend();

  @ParameterizedTest
  @CsvSource({"true, FLOAT32", "true, BFLOAT16", "false, FLOAT32", "false, BFLOAT16"})
  void haveTensorsOfTheTypesThatAPassHas(boolean causal, DType operands) {
    Set<String> run = new HashSet<>();
    for (float dropout : new float[] {0, 0.1f}) {
      pass(causal, operands, dropout, recording(operation -> run.add(form(operation))));
    }
    ModelShape shape = new ModelShape("tiny", 2, LENGTH, 8, 2, VOCABULARY, causal);
    try (KernelCases cases = new KernelCases(backend, shape, operands)) {
      for (KernelCase each : cases.all()) {
        String own = form(each.operation());
        assertTrue(
            BESIDE.contains(each.operation().getClass()) || run.contains(own),
            () -> each.op() + " " + each.direction() + " runs as no pass does: " + own);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"FLOAT32, 0, 4.0", "BFLOAT16, 21, 2.0"})
  void countTheBytesOfTheirOwnTensors(DType operands, int ofBfloat16, double bytesOfOperand) {
    ModelShape shape = new ModelShape("tiny", 2, LENGTH, 8, 2, VOCABULARY, true);
    try (KernelCases cases = new KernelCases(backend, shape, operands)) {
      List<KernelCase> all = cases.all();
      assertEquals(
          ofBfloat16,
          all.stream().filter(each -> each.dtype().equals("bf16")).count(),
          all::toString);
      KernelCase gelu =
          all.stream()
              .filter(each -> each.op().equals("GELU") && each.direction().equals("backward"))
              .findFirst()
              .orElseThrow();
      assertEquals(2 * LENGTH * 32 * (2 * bytesOfOperand + 4 + 4), gelu.bytes());
    }
  }

  /** Shares are of what multiplies, and not of what is kept. */
  @Test
  void attentionMultipliesFp32OnProcessorsWithoutTiles() {
    ModelShape shape = new ModelShape("tiny", 2, LENGTH, 8, 2, VOCABULARY, true);
    try (KernelCases cases = new KernelCases(backend, shape, DType.BFLOAT16)) {
      for (KernelCase each : cases.all()) {
        if (each.computeBound()) {
          boolean vectors = each.op().equals("attention") && !HostArithmetic.TILES.isAvailable();
          DType onProcessors = vectors ? DType.FLOAT32 : DType.BFLOAT16;
          assertEquals(onProcessors, each.multiplies(DeviceInfo.Kind.CPU), each::op);
          assertEquals(DType.BFLOAT16, each.multiplies(DeviceInfo.Kind.GPU), each::op);
        }
      }
    }
  }

  private static Backend recording(Consumer<Operation> run) {
    Backend real = new JavaBackend();
    return (Backend)
        Proxy.newProxyInstance(
            Backend.class.getClassLoader(),
            new Class<?>[] {Backend.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("run")) {
                run.accept((Operation) arguments[0]);
              }
              return method.invoke(real, arguments);
            });
  }

  /** An operation with its tensors' types, and what a product does with them. */
  private static String form(Operation operation) {
    String product =
        operation instanceof MatMul of
            ? " %s %s %s %s"
                .formatted(of.transposeA(), of.transposeB(), of.accumulate(), of.exact())
            : "";
    return Binding.of(operation).arguments().stream()
        .filter(Argument::isArray)
        .map(argument -> argument.name() + " " + type(argument.tensor(operation)))
        .collect(Collectors.joining(", ", operation.getClass().getSimpleName() + " of ", product));
  }

  private static String type(Tensor tensor) {
    return tensor == null ? "none" : tensor.dtype().toString();
  }

  private static void pass(boolean causal, DType operands, float dropout, Backend backend) {
    ModelConfiguration model =
        causal
            ? new GptConfiguration(2, 2, 8, LENGTH, VOCABULARY, dropout, false)
            : new BertConfiguration(2, 2, 8, LENGTH, VOCABULARY, dropout, false);
    try (Tensor parameters = backend.floats(model.layout().size());
        Tensor rounded = backend.allocate(operands, parameters.shape());
        Tensor gradients = backend.floats(model.layout().size());
        Tensor tokens = backend.ints(2, LENGTH);
        Tensor losses = backend.floats(2, LENGTH);
        Tape tape = new Tape(backend, true, operands)) {
      backend.run(new Fill(parameters, 0.5f));
      backend.run(new Copy(parameters, rounded));
      backend.write(tokens, new int[2 * LENGTH]);
      Batch batch = new Batch(tokens, null, tokens, losses, null);
      DropoutSites dropouts = new DropoutSites(dropout, 1, 2, 3);
      ParameterStore store = ParameterStore.flat(model.layout(), parameters, rounded, gradients);
      model.bind(store).loss(tape, batch, 1, dropouts);
      tape.backward();
    }
  }
}
