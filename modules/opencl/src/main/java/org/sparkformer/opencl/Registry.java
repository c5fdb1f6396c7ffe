package org.sparkformer.opencl;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.sparkformer.tensor.ops.Operation;

/** Finds the specialisation of an operation. */
final class Registry {
  private final Map<Class<?>, List<Specialisation<?>>> byOperation;

  Registry(List<Specialisation<?>> specialisations) {
    byOperation =
        specialisations.stream().collect(Collectors.groupingBy(Specialisation::operation));
  }

  /** The first that takes the operation. */
  <O extends Operation> Optional<Specialisation<O>> find(O operation, DeviceInfo device) {
    for (Specialisation<?> candidate : byOperation.getOrDefault(operation.getClass(), List.of())) {
      // Grouped by operation(), whose type is the parameter of the specialisation.
      @SuppressWarnings("unchecked")
      Specialisation<O> specialisation = (Specialisation<O>) candidate;
      if (specialisation.supports(operation, device)) {
        return Optional.of(specialisation);
      }
    }
    return Optional.empty();
  }

  /** A line an operation that has specialisations, in alphabetical order. */
  List<String> describe() {
    return byOperation.entrySet().stream()
        .map(
            entry ->
                entry.getKey().getSimpleName()
                    + " -> "
                    + entry.getValue().stream()
                        .map(Specialisation::description)
                        .collect(Collectors.joining(", else ")))
        .sorted()
        .toList();
  }
}
