package org.sparkformer.opencl;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.sparkformer.tensor.ops.Binding;
import org.sparkformer.tensor.ops.Binding.Argument;
import org.sparkformer.tensor.ops.Operation;

/** Runs operations by their definitions. */
final class Definitions {
  private static final int LARGEST_GROUP = 64;
  private static final int GROUPS_WANTED = 32;

  private final Map<Class<?>, Translated> translated = new HashMap<>();

  private record Translated(AparapiTranslator.Translation translation, List<Argument> arguments) {}

  void run(Operation operation, LaunchContext context) {
    run(operation, List.of(WorkItems.all(operation)), context);
  }

  /** Runs some work-items of a definition alone; what the others give is left as it is. */
  void run(Operation operation, List<WorkItems> parts, LaunchContext context) {
    if (operation.workItems() > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "%s over %,d work-items: definitions count in 32 bits, split the tensors"
              .formatted(operation.getClass().getSimpleName(), operation.workItems()));
    }
    Translated kernel = translated.computeIfAbsent(operation.getClass(), type -> bind(operation));
    try (Widened widened = Widened.of(kernel.arguments(), operation, context)) {
      parts.forEach(
          items ->
              run(
                  items,
                  context.definition(kernel.translation().source()),
                  kernel,
                  operation,
                  widened));
      widened.roundOutputs();
    }
  }

  private static void run(
      WorkItems items, Launch launch, Translated kernel, Operation operation, Widened widened) {
    kernel.arguments().forEach(argument -> pass(launch, argument, operation, widened));
    launch.number(0).number(items.end());
    kernel.arguments().stream()
        .filter(Argument::isArray)
        .map(argument -> widened.tensor(argument.tensor(operation)))
        .forEach(tensor -> launch.number(tensor == null ? 0L : tensor.offset()));
    int group = group(items.count());
    launch.from(items.first()).over(Launch.groups(items.count(), group), group);
  }

  /** A power of two that leaves some groups to share out; a function of the work alone. */
  private static int group(long items) {
    long wanted = Math.max(1, items / GROUPS_WANTED);
    return (int) Math.min(LARGEST_GROUP, Long.highestOneBit(wanted));
  }

  private static Translated bind(Operation operation) {
    AparapiTranslator.Translation translation = AparapiTranslator.translate(operation);
    Map<String, Argument> byName =
        Binding.of(operation).arguments().stream()
            .collect(Collectors.toMap(Argument::name, Function.identity()));
    return new Translated(translation, translation.fields().stream().map(byName::get).toList());
  }

  private static void pass(Launch launch, Argument argument, Operation operation, Widened widened) {
    if (argument.isArray()) {
      launch.buffer(widened.tensor(argument.tensor(operation)));
      return;
    }
    Number value = argument.scalar(operation);
    if (value instanceof Integer number) {
      launch.number(number.intValue());
    } else if (value instanceof Long number) {
      launch.number(number.longValue());
    } else {
      launch.number(value.floatValue());
    }
  }
}
