package org.sparkformer.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.OpenClException;
import org.sparkformer.opencl.TuningSpace.Tunable;
import org.sparkformer.tensor.ops.Operation;

/**
 * Searches the values of one kernel file's macros on one device.
 *
 * <p>Coordinate descent: macro by macro, each value takes turns with the best so far, until a pass
 * over the macros changes nothing. A candidate goes from one operation to the next; at each it is
 * held to the definition and then timed, and it goes no further where it has saved nothing so far,
 * for every shape has programs of its own to build. One that has come through is held to the
 * definitions at the awkward shape, too. What is found has to win once more, against the built-in
 * values, so that the luckiest of many measurements does not.
 */
final class Tuner {
  private static final int MOST_PASSES = 3;

  private final TuningCases cases;
  private final OpenClBackend backend;
  private final String file;
  private final double gain;
  private final Consumer<Candidate> onCandidate;
  private final List<Expectation> timed;
  private final List<Expectation> awkward;

  /**
   * One set of values that was tried.
   *
   * @param ratio time with them / time with the best before, over the operations where they were
   *     timed; NaN where there are none
   * @param operations at which they were timed, of all those of the file
   * @param objection why they cannot be used; empty where they can
   * @param better whether they are the best so far
   */
  record Candidate(
      String file,
      Map<String, Integer> macros,
      double ratio,
      int operations,
      String objection,
      boolean better) {}

  /**
   * The best values of a file.
   *
   * @param macros over the built-in ones; empty where those stay
   * @param doubted what was found and did not win again; empty where there is none
   * @param speedup built-in time / time with them
   */
  record Result(
      String file,
      Map<String, Integer> macros,
      Map<String, Integer> doubted,
      boolean sameBits,
      double speedup) {}

  /** Two sets of values, one of which is compared with the other. */
  private record Pair(Map<String, Integer> candidate, Map<String, Integer> best) {}

  /**
   * @param gain least share of time that a change must save, as 0.02
   * @param onCandidate told of every candidate
   * @throws OpenClException if the built-in values already disagree with a definition
   */
  Tuner(TuningCases cases, String file, double gain, Consumer<Candidate> onCandidate) {
    this.cases = cases;
    this.backend = cases.backend();
    this.file = file;
    this.gain = gain;
    this.onCandidate = onCandidate;
    this.awkward = cases.awkward(file);
    this.timed = cases.timed(file);
  }

  /** How many operations a candidate is held to. */
  int verified() {
    return timed.size() + awkward.size();
  }

  /** How many of these are so large that their definition is run for a sample. */
  long sampled() {
    return timed.stream().filter(each -> !each.isWhole()).count();
  }

  /** How many operations a candidate is timed at. */
  int timed() {
    return timed.size();
  }

  /** The best values in a space. */
  Result search(List<Tunable> space) {
    Map<String, Integer> best = Map.of();
    Set<Pair> compared = new HashSet<>();
    for (int pass = 0; pass < MOST_PASSES; pass++) {
      Map<String, Integer> before = best;
      for (Tunable tunable : space) {
        best = better(tunable, best, space, compared);
      }
      if (best.equals(before)) {
        break;
      }
    }
    return confirmed(best, space);
  }

  private Map<String, Integer> better(
      Tunable tunable, Map<String, Integer> start, List<Tunable> space, Set<Pair> compared) {
    Map<String, Integer> best = start;
    for (int value : tunable.values()) {
      Map<String, Integer> macros = new TreeMap<>(best);
      macros.put(tunable.macro(), value);
      if (effective(macros).equals(effective(best)) || !compared.add(new Pair(macros, best))) {
        continue;
      }
      Candidate candidate = candidate(macros, best, sameBits(macros, space));
      onCandidate.accept(candidate);
      if (candidate.better()) {
        best = macros;
      }
    }
    return best;
  }

  private Map<String, Integer> effective(Map<String, Integer> macros) {
    Map<String, Integer> all = new TreeMap<>(backend.builtInTunables(file));
    all.putAll(macros);
    return all;
  }

  private static boolean sameBits(Map<String, Integer> macros, List<Tunable> space) {
    return space.stream()
        .filter(tunable -> macros.containsKey(tunable.macro()))
        .allMatch(Tunable::sameBits);
  }

  private Candidate candidate(
      Map<String, Integer> macros, Map<String, Integer> best, boolean sameBits) {
    List<double[]> ratios = new ArrayList<>();
    for (Expectation each : timed) {
      Optional<String> objection = objection(macros, sameBits, List.of(each));
      if (objection.isPresent()) {
        return passedOver(macros, objection.get());
      }
      ratios.add(cases.ratios(file, macros, best, each.subject()));
      if (Rounds.median(means(ratios)) > even()) {
        return timed(macros, ratios, false);
      }
    }
    return objection(macros, sameBits, awkward)
        .map(objection -> passedOver(macros, objection))
        .orElseGet(() -> timed(macros, ratios, wins(means(ratios))));
  }

  private Candidate passedOver(Map<String, Integer> macros, String objection) {
    return new Candidate(file, macros, Double.NaN, 0, objection, false);
  }

  private Candidate timed(Map<String, Integer> macros, List<double[]> ratios, boolean better) {
    return new Candidate(file, macros, Rounds.median(means(ratios)), ratios.size(), "", better);
  }

  /** Of each round the geometric mean over operations. */
  private static double[] means(List<double[]> ratios) {
    return IntStream.range(0, ratios.get(0).length)
        .mapToDouble(
            round ->
                Math.exp(
                    ratios.stream()
                        .mapToDouble(ofOperation -> Math.log(ofOperation[round]))
                        .average()
                        .orElseThrow()))
        .toArray();
  }

  /** Share of the time from which on nothing is saved. */
  private double even() {
    return Math.max(1, 1 - gain);
  }

  /**
   * The median saves enough, and all rounds but one save something: where chance alone decides, 12
   * of 2048 comparisons of eleven rounds look like that.
   */
  private boolean wins(double[] ratios) {
    return Rounds.median(ratios) <= 1 - gain
        && Arrays.stream(ratios).filter(ratio -> ratio >= even()).count() <= 1;
  }

  /** A candidate that does not compile, does not fit the device or computes something else. */
  private Optional<String> objection(
      Map<String, Integer> macros, boolean sameBits, List<Expectation> expected) {
    Consumer<Operation> runner = backend.withTunables(Map.of(file, macros));
    try {
      return expected.stream()
          .map(expectation -> expectation.objection(runner, sameBits))
          .flatMap(Optional::stream)
          .findFirst();
    } catch (OpenClException | IllegalArgumentException e) {
      return Optional.of(e.getMessage());
    }
  }

  private Result confirmed(Map<String, Integer> best, List<Tunable> space) {
    if (!best.isEmpty()) {
      double[] ratios =
          means(
              timed.stream()
                  .map(each -> cases.ratios(file, best, Map.of(), each.subject()))
                  .toList());
      if (wins(ratios)) {
        return new Result(file, best, Map.of(), sameBits(best, space), 1 / Rounds.median(ratios));
      }
    }
    return new Result(file, Map.of(), best, true, 1);
  }
}
