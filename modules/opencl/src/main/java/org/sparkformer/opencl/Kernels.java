package org.sparkformer.opencl;

import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import org.sparkformer.opencl.kernels.PackedMatMul;
import org.sparkformer.tensor.ops.Operation;

/** The specialisations that there are. */
final class Kernels {
  private Kernels() {}

  /** In the order in which they are asked. */
  static List<Specialisation<?>> standard() {
    return List.of(new PackedMatMul());
  }

  /** A specialisation that takes every operation of its class, on every device. */
  static <O extends Operation> Specialisation<O> of(
      Class<O> operation, String description, BiConsumer<O, LaunchContext> enqueue) {
    return of(operation, description, ignored -> true, enqueue);
  }

  /** A specialisation that takes some operations of its class, on every device. */
  static <O extends Operation> Specialisation<O> of(
      Class<O> operation,
      String description,
      Predicate<O> supported,
      BiConsumer<O, LaunchContext> enqueue) {
    return new Anywhere<>(operation, description, supported, enqueue);
  }

  private record Anywhere<O extends Operation>(
      Class<O> operation,
      String description,
      Predicate<O> supported,
      BiConsumer<O, LaunchContext> launcher)
      implements Specialisation<O> {

    @Override
    public boolean supports(O candidate, DeviceInfo device) {
      return supported.test(candidate);
    }

    @Override
    public void enqueue(O candidate, LaunchContext context) {
      launcher.accept(candidate, context);
    }
  }
}
