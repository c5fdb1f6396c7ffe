package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** What a debugger saw of the weights of all ranks. */
final class SeenWeights {
  private static final int MICRO_BATCHES = 4;

  private final Map<Integer, List<Integer>> byStep = new ConcurrentHashMap<>();

  void add(DebuggedExecutors.Place place) {
    byStep
        .computeIfAbsent(place.step(), step -> new CopyOnWriteArrayList<>())
        .add(place.weights().values().hashCode());
  }

  /** The hash of what every rank held when a step began, which is the same. */
  int before(int step) {
    List<Integer> copies = byStep.get(step);
    assertEquals(MICRO_BATCHES, copies.size());
    assertEquals(1, new HashSet<>(copies).size());
    return copies.get(0);
  }
}
