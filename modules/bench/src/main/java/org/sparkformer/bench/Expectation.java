package org.sparkformer.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.OpenClException;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.AttentionBackward;
import org.sparkformer.tensor.ops.AttentionForward;
import org.sparkformer.tensor.ops.Operation;

/**
 * What an operation has to give: the values of its definition, and the bits of the kernel with its
 * built-in tunables. Where the definition is run for a {@link Sample} alone, the rest has to have
 * the built-in kernel's values.
 */
final class Expectation {
  /**
   * Of the largest value of a tensor. The order of summation moves results by some 1e-5; what is
   * wrong, left out or done twice moves them by as much as they are.
   */
  private static final double TOLERANCE = 1e-3;

  /**
   * The same where results are rounded to bf16, which moves them by 2^-8 at most on either side, or
   * where attention may round the operands of its products, which its definition does not.
   */
  private static final double TOLERANCE_OF_BF16 = 2e-2;

  private final Contents contents;
  private final KernelCase subject;
  private final Sample sample;
  private final Map<Tensor, float[]> values = new HashMap<>();
  private final Map<Tensor, Integer> bits = new HashMap<>();

  private Expectation(Contents contents, KernelCase subject) {
    this.contents = contents;
    this.subject = subject;
    this.sample = Sample.of(subject.operation());
  }

  /**
   * Runs the definition and the built-in kernel.
   *
   * @throws OpenClException if the two disagree
   */
  static Expectation of(
      OpenClBackend backend, Contents contents, KernelCase subject, Consumer<Operation> builtIn) {
    Expectation expectation = new Expectation(contents, subject);
    Map<Tensor, float[]> first = expectation.run(builtIn);
    expectation
        .run(operation -> backend.runDefinition(operation, expectation.sample.parts()))
        .forEach(
            (tensor, defined) ->
                expectation.values.put(
                    tensor, expectation.sample.over(defined, first.get(tensor))));
    expectation
        .differences(first)
        .ifPresent(
            difference -> {
              throw new OpenClException(
                  "the built-in kernel disagrees with its definition: " + difference);
            });
    first.forEach((tensor, actual) -> expectation.bits.put(tensor, Arrays.hashCode(actual)));
    return expectation;
  }

  KernelCase subject() {
    return subject;
  }

  /** Whether all of the operation was computed by its definition. */
  boolean isWhole() {
    return sample.whole();
  }

  /**
   * What is wrong with a candidate's results, if anything.
   *
   * @param sameBits whether they must have the bits that the built-in kernel gives
   */
  Optional<String> objection(Consumer<Operation> candidate, boolean sameBits) {
    Map<Tensor, float[]> results = run(candidate);
    boolean same =
        results.entrySet().stream()
            .allMatch(result -> bits.get(result.getKey()) == Arrays.hashCode(result.getValue()));
    if (same) {
      return Optional.empty();
    }
    return differences(results)
        .or(
            () ->
                sameBits
                    ? Optional.of(where() + " differs in its last bits, which it must not")
                    : Optional.empty());
  }

  private Map<Tensor, float[]> run(Consumer<Operation> runner) {
    contents.restore(subject.operation());
    runner.accept(subject.operation());
    Map<Tensor, float[]> results = new HashMap<>();
    Contents.outputs(subject.operation())
        .forEach(tensor -> results.put(tensor, contents.values(tensor)));
    return results;
  }

  private Optional<String> differences(Map<Tensor, float[]> results) {
    List<String> found = new ArrayList<>();
    values.forEach(
        (tensor, expected) ->
            difference(results.get(tensor), expected, tolerance(tensor))
                .ifPresent(difference -> found.add(where() + " gives " + difference)));
    return found.stream().findFirst();
  }

  private double tolerance(Tensor result) {
    boolean attends =
        subject.operation() instanceof AttentionForward
            || subject.operation() instanceof AttentionBackward;
    boolean rounds = attends && subject.dtype().equals("bf16");
    return rounds || result.dtype() == DType.BFLOAT16 ? TOLERANCE_OF_BF16 : TOLERANCE;
  }

  private String where() {
    return "%s (%s) at %s".formatted(subject.op(), subject.direction(), subject.shape());
  }

  private static Optional<String> difference(float[] actual, float[] expected, double tolerance) {
    double largest = 0;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int i = 0; i < expected.length; i++) {
      // Written so that NaN does not pass.
      if (!(Math.abs((double) actual[i] - expected[i]) <= tolerance * largest)) {
        return Optional.of("%s at element %d, not %s".formatted(actual[i], i, expected[i]));
      }
    }
    return Optional.empty();
  }
}
