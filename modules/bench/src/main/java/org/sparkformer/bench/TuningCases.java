package org.sparkformer.bench;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.OpenClException;
import org.sparkformer.opencl.TracedCommand;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.ops.Operation;

/** The operations that a tuner times and verifies on, and the kernel files that they run by. */
final class TuningCases implements AutoCloseable {
  /**
   * Remainders everywhere: no extent is a multiple of a vector, a tile or a block, and rows of
   * logits are too long for the kernel of few vectors.
   */
  private static final ModelShape AWKWARD = new ModelShape("awkward", 3, 37, 39, 3, 151, true);

  private final OpenClBackend backend;
  private final DType operands;
  private final Consumer<Operation> builtIn;
  private final List<KernelCases> owned = new ArrayList<>();
  private final List<KernelCase> timed = new ArrayList<>();
  private final List<KernelCase> awkward;
  private final Contents contents;
  private final Map<KernelCase, Set<String>> files = new LinkedHashMap<>();

  /**
   * @param models whose operations are timed
   * @param operands what products take their operands as, and a step keeps of what they read
   */
  TuningCases(OpenClBackend backend, List<ModelShape> models, DType operands) {
    this.backend = backend;
    this.operands = operands;
    this.builtIn = backend.withTunables(Map.of());
    models.forEach(model -> timed.addAll(cases(model)));
    this.awkward = cases(AWKWARD);
    List<KernelCase> all = new ArrayList<>(awkward);
    all.addAll(timed);
    this.contents = new Contents(backend, builtIn, all);
    all.forEach(each -> files.put(each, trace(each.operation())));
  }

  private List<KernelCase> cases(ModelShape model) {
    KernelCases cases = new KernelCases(backend, model, operands);
    owned.add(cases);
    return cases.all();
  }

  private Set<String> trace(Operation operation) {
    backend.startTrace();
    builtIn.accept(operation);
    Set<String> used = new HashSet<>();
    for (TracedCommand command : backend.endTrace()) {
      if (!command.isCopy()) {
        used.add(command.name().split(":", 2)[0]);
      }
    }
    return used;
  }

  OpenClBackend backend() {
    return backend;
  }

  /** The kernel files by which timed operations run, in alphabetical order. */
  Set<String> files() {
    return timed.stream()
        .flatMap(each -> files.get(each).stream())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /**
   * What the operations that run by a file have to give at the timed shapes.
   *
   * @throws OpenClException if the built-in values already disagree with a definition
   */
  List<Expectation> timed(String file) {
    return expectations(file, timed);
  }

  /** As {@link #timed}, at the awkward shape. */
  List<Expectation> awkward(String file) {
    return expectations(file, awkward);
  }

  private List<Expectation> expectations(String file, List<KernelCase> of) {
    return of.stream()
        .filter(each -> files.get(each).contains(file))
        .map(each -> Expectation.of(backend, contents, each, builtIn))
        .toList();
  }

  /**
   * Lets two sets of values for a file's macros take turns at an operation: of each round the first
   * one's time / the other's.
   */
  double[] ratios(
      String file, Map<String, Integer> subject, Map<String, Integer> other, KernelCase at) {
    Consumer<Operation> first = backend.withTunables(Map.of(file, subject));
    Consumer<Operation> second = backend.withTunables(Map.of(file, other));
    contents.restore(at.operation());
    double[][] times =
        Rounds.alternate(
            Rounds.of(backend, first, at.operation()), Rounds.of(backend, second, at.operation()));
    return IntStream.range(0, times[0].length)
        .mapToDouble(round -> times[0][round] / times[1][round])
        .toArray();
  }

  @Override
  public void close() {
    contents.close();
    owned.forEach(KernelCases::close);
  }
}
