package org.sparkformer.opencl;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.ops.Operation;

/** Finds the specialisation of an operation on one device. */
final class Registry {
  private static final System.Logger LOG = System.getLogger(Registry.class.getName());

  private final DeviceInfo device;
  private final Map<Class<?>, List<Specialisation<?>>> byOperation;
  private final Set<Class<?>> reported = new HashSet<>();
  private final List<String> leftAside = new ArrayList<>();

  Registry(List<Specialisation<?>> specialisations, DeviceInfo device) {
    this.device = device;
    byOperation =
        specialisations.stream()
            .filter(specialisation -> specialisation.runsOn(device))
            .collect(
                Collectors.groupingBy(
                    Specialisation::operation, Collectors.toCollection(ArrayList::new)));
  }

  /** Leaves aside what does not do on this device what it is made for, and says so. */
  void prove(Backend backend, LaunchContext context) {
    byOperation.values().forEach(all -> all.removeIf(each -> !proves(each, backend, context)));
  }

  private boolean proves(Specialisation<?> candidate, Backend backend, LaunchContext context) {
    try {
      candidate.prove(backend, context);
      return true;
    } catch (OpenClException failed) {
      if (Thread.currentThread().isInterrupted()) {
        throw failed;
      }
      leftAside.add(Kernels.file(candidate));
      LOG.log(
          System.Logger.Level.WARNING,
          "%s is left aside on %s, the next slower kernel takes its place: %s"
              .formatted(candidate.description(), device.name(), failed.getMessage()),
          failed);
      return false;
    }
  }

  /** Kernel files that were made for this device and do not do on it what they should. */
  List<String> leftAside() {
    return List.copyOf(leftAside);
  }

  /** The first that takes the operation; says it once where there are some and none does. */
  <O extends Operation> Optional<Specialisation<O>> find(O operation) {
    List<Specialisation<?>> candidates = byOperation.get(operation.getClass());
    if (candidates == null) {
      return Optional.empty();
    }
    for (Specialisation<?> candidate : candidates) {
      // Grouped by operation(), whose type is the parameter of the specialisation.
      @SuppressWarnings("unchecked")
      Specialisation<O> specialisation = (Specialisation<O>) candidate;
      if (specialisation.supports(operation, device)) {
        return Optional.of(specialisation);
      }
    }
    report(operation, candidates);
    return Optional.empty();
  }

  private void report(Operation operation, List<Specialisation<?>> candidates) {
    if (reported.add(operation.getClass())) {
      LOG.log(
          System.Logger.Level.WARNING,
          "%s does not take every %s that is run; what it leaves runs by its definition, slowly"
              .formatted(names(candidates), operation.getClass().getSimpleName()));
    }
  }

  /** A line an operation that has specialisations on this device, in alphabetical order. */
  List<String> describe() {
    return byOperation.entrySet().stream()
        .map(entry -> entry.getKey().getSimpleName() + " -> " + names(entry.getValue()))
        .sorted()
        .toList();
  }

  private static String names(List<Specialisation<?>> specialisations) {
    return specialisations.stream()
        .map(Specialisation::description)
        .collect(Collectors.joining(", else "));
  }
}
