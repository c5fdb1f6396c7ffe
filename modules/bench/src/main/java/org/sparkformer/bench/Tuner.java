package org.sparkformer.bench;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.OpenClException;
import org.sparkformer.opencl.TuningSpace.Tunable;
import org.sparkformer.tensor.ops.Operation;

/**
 * Searches the values of one kernel file's macros on one device.
 *
 * <p>Coordinate descent: macro by macro, each value takes turns with the best so far, until a pass
 * over the macros changes nothing. A candidate is held to the definitions, at the timed shapes and
 * at an awkward one; but first it is at one shape alone, and goes no further where it is slower
 * there, for most are, and every shape has programs of its own to build. What is found has to win
 * once more, against the built-in values, so that the luckiest of many measurements does not.
 */
final class Tuner {
  private static final int MOST_PASSES = 3;

  private final TuningCases cases;
  private final OpenClBackend backend;
  private final String file;
  private final double gain;
  private final Consumer<Candidate> onCandidate;
  private final List<Expectation> expectations;

  /**
   * One set of values that was tried.
   *
   * @param ratio time with them / time with the best before, at the first shape alone where they
   *     are slower there; NaN where they were not timed
   * @param objection why they cannot be used; empty where they can
   * @param better whether they are the best so far
   */
  record Candidate(
      String file, Map<String, Integer> macros, double ratio, String objection, boolean better) {}

  /**
   * The best values of a file.
   *
   * @param macros over the built-in ones; empty where those stay
   * @param speedup built-in time / time with them
   */
  record Result(String file, Map<String, Integer> macros, boolean sameBits, double speedup) {}

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
    this.expectations = cases.expectations(file);
  }

  /** The best values in a space. */
  Result search(List<Tunable> space) {
    Map<String, Integer> best = Map.of();
    for (int pass = 0; pass < MOST_PASSES; pass++) {
      Map<String, Integer> before = best;
      for (Tunable tunable : space) {
        best = better(tunable, best, space);
      }
      if (best.equals(before)) {
        break;
      }
    }
    return confirmed(best, space);
  }

  private Map<String, Integer> better(
      Tunable tunable, Map<String, Integer> start, List<Tunable> space) {
    Map<String, Integer> best = start;
    for (int value : tunable.values()) {
      Map<String, Integer> macros = new TreeMap<>(best);
      macros.put(tunable.macro(), value);
      if (effective(macros).equals(effective(best))) {
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
    KernelCase first = cases.timed(file).get(0);
    Stream<Expectation> ofFirst = expectations.stream().filter(each -> each.isOf(first));
    Optional<String> objection = objection(macros, sameBits, ofFirst);
    if (objection.isEmpty()) {
      double ratio = Rounds.median(cases.ratios(file, macros, best, List.of(first)));
      if (ratio > even()) {
        return new Candidate(file, macros, ratio, "", false);
      }
      objection = objection(macros, sameBits, expectations.stream());
    }
    if (objection.isPresent()) {
      return new Candidate(file, macros, Double.NaN, objection.get(), false);
    }
    double[] ratios = cases.ratios(file, macros, best, cases.timed(file));
    return new Candidate(file, macros, Rounds.median(ratios), "", wins(ratios));
  }

  /** Share of the time from which on nothing is saved. */
  private double even() {
    return Math.max(1, 1 - gain);
  }

  /**
   * The median saves enough, and all rounds but one save something: where chance alone decides, 8
   * of 128 comparisons of seven rounds look like that.
   */
  private boolean wins(double[] ratios) {
    return Rounds.median(ratios) <= 1 - gain
        && Arrays.stream(ratios).filter(ratio -> ratio >= even()).count() <= 1;
  }

  /** A candidate that does not compile, does not fit the device or computes something else. */
  private Optional<String> objection(
      Map<String, Integer> macros, boolean sameBits, Stream<Expectation> expected) {
    Consumer<Operation> runner = backend.withTunables(Map.of(file, macros));
    try {
      return expected
          .map(expectation -> expectation.objection(runner, sameBits))
          .flatMap(Optional::stream)
          .findFirst();
    } catch (OpenClException | IllegalArgumentException e) {
      return Optional.of(e.getMessage());
    }
  }

  private Result confirmed(Map<String, Integer> best, List<Tunable> space) {
    if (!best.isEmpty()) {
      double[] ratios = cases.ratios(file, best, Map.of(), cases.timed(file));
      if (wins(ratios)) {
        return new Result(file, best, sameBits(best, space), 1 / Rounds.median(ratios));
      }
    }
    return new Result(file, Map.of(), true, 1);
  }
}
