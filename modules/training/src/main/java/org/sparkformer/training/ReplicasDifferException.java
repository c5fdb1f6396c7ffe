package org.sparkformer.training;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.joining;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** The ranks hold different weights, where each should hold the same. */
public final class ReplicasDifferException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final int SHOWN = 16;

  /**
   * @param when the moment of the comparison, for people
   * @param digests of the weights, by rank
   */
  public ReplicasDifferException(String when, List<String> digests) {
    super(
        when
            + " "
            + whoDiffers(digests)
            + ": a bit was flipped in a device's memory or on its way there, or the devices differ"
            + " in kind; digests by rank: "
            + digests.stream()
                .map(digest -> digest.substring(0, Math.min(SHOWN, digest.length())))
                .toList());
  }

  /** Names those that are outvoted. */
  private static String whoDiffers(List<String> digests) {
    Optional<List<Integer>> majority =
        IntStream.range(0, digests.size())
            .boxed()
            .collect(groupingBy(digests::get))
            .values()
            .stream()
            .filter(ranks -> 2 * ranks.size() > digests.size())
            .findAny();
    if (majority.isEmpty()) {
      return "the ranks hold different weights, and no majority tells which are right";
    }
    String outvoted =
        IntStream.range(0, digests.size())
            .filter(rank -> !majority.get().contains(rank))
            .mapToObj(Integer::toString)
            .collect(joining(", "));
    return "rank " + outvoted + " holds other weights than most";
  }
}
