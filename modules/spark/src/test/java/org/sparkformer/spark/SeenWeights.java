package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** What a debugger saw of the weights of all ranks. */
final class SeenWeights {
  private final int ranks;
  private final Map<Integer, List<Integer>> byStep = new ConcurrentHashMap<>();

  SeenWeights(int ranks) {
    this.ranks = ranks;
  }

  void add(DebuggedExecutors.Sum sum) {
    byStep
        .computeIfAbsent(sum.step(), step -> new CopyOnWriteArrayList<>())
        .add(sum.weights().values().hashCode());
  }

  /** The hash of what every rank held before the update of a step, which is the same. */
  int before(int step) {
    List<Integer> copies = byStep.get(step);
    assertEquals(ranks, copies.size());
    assertEquals(1, new HashSet<>(copies).size());
    return copies.get(0);
  }
}
