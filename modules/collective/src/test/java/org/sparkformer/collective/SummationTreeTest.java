package org.sparkformer.collective;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.BinaryOperator;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

final class SummationTreeTest {
  private static final int MOST_LEAVES = 33;

  @Test
  void everyNumberOfRanksEvaluatesTheSameExpression() {
    for (int leaves = 1; leaves <= MOST_LEAVES; leaves++) {
      SummationTree tree = new SummationTree(leaves);
      String expected = expression(0, leaves);
      for (int ranks = 1; ranks <= leaves; ranks++) {
        String actual =
            distributedSum(tree, ranks, Integer::toString, (a, b) -> "(" + a + "+" + b + ")");
        assertEquals(expected, actual, leaves + " leaves on " + ranks + " ranks");
      }
    }
  }

  @Test
  void everyNumberOfRanksRoundsToTheSameBits() {
    Random random = new Random(7);
    for (int leaves = 1; leaves <= MOST_LEAVES; leaves++) {
      List<Float> values = new ArrayList<>();
      for (int leaf = 0; leaf < leaves; leaf++) {
        values.add((float) (random.nextGaussian() * Math.pow(10, random.nextInt(8))));
      }
      SummationTree tree = new SummationTree(leaves);
      int expected = Float.floatToRawIntBits(tree.sum(values, Float::sum));
      for (int ranks = 1; ranks <= leaves; ranks++) {
        float actual = distributedSum(tree, ranks, values::get, Float::sum);
        assertEquals(expected, Float.floatToRawIntBits(actual), leaves + " on " + ranks);
      }
    }
  }

  @Test
  void ranksOwnAllLeavesInOrderAndInBalance() {
    for (int leaves = 1; leaves <= MOST_LEAVES; leaves++) {
      SummationTree tree = new SummationTree(leaves);
      for (int ranks = 1; ranks <= leaves; ranks++) {
        int next = 0;
        for (int rank = 0; rank < ranks; rank++) {
          LeafRange owned = tree.ownedBy(rank, ranks);
          assertEquals(next, owned.from());
          assertTrue(Math.abs(owned.count() - leaves / (double) ranks) < 1);
          next = owned.to();
        }
        assertEquals(leaves, next);
      }
    }
  }

  @Test
  void moreRanksThanLeavesAreRefusedWithAdvice() {
    SummationTree tree = new SummationTree(3);
    String message =
        assertThrows(IllegalArgumentException.class, () -> tree.ownedBy(0, 4)).getMessage();
    assertTrue(message.contains("4 ranks") && message.contains("3 micro-batches"), message);
    assertThrows(IllegalArgumentException.class, () -> tree.ownedBy(3, 3));
    assertThrows(IllegalArgumentException.class, () -> new SummationTree(0));
    assertThrows(IllegalArgumentException.class, () -> tree.maximalSubtrees(new LeafRange(1, 4)));
  }

  @Test
  void aWholeBatchNeedsOneBufferABinaryDigit() {
    assertEquals(1, new SummationTree(1).buffersNeeded(new LeafRange(0, 1)));
    assertEquals(11, new SummationTree(1024).buffersNeeded(new LeafRange(0, 1024)));
    assertEquals(10, new SummationTree(1023).buffersNeeded(new LeafRange(0, 1023)));
  }

  @Test
  void theAccumulatorReleasesEveryOperandButThePartials() {
    SummationTree tree = new SummationTree(13);
    LeafRange range = new LeafRange(3, 11);
    List<String> released = new ArrayList<>();
    TreeAccumulator<String> accumulator =
        new TreeAccumulator<>(tree, range, (a, b) -> a + b, released::add);
    assertThrows(IllegalStateException.class, accumulator::partials);
    for (int leaf = range.from(); leaf < range.to(); leaf++) {
      accumulator.push(Integer.toString(leaf));
    }
    assertThrows(IllegalStateException.class, () -> accumulator.push("12"));
    assertEquals(List.of("3", "4567", "89", "10"), accumulator.partials());
    assertEquals(List.of("4", "5", "6", "7", "45", "67", "8", "9"), released);
    accumulator.push("again");
    accumulator.clear();
    assertEquals("again", released.get(released.size() - 1));
  }

  /** The definition: left child the largest power of two smaller than the count. */
  private static String expression(int from, int count) {
    if (count == 1) {
      return Integer.toString(from);
    }
    int left = 1;
    while (2 * left < count) {
      left *= 2;
    }
    return "(" + expression(from, left) + "+" + expression(from + left, count - left) + ")";
  }

  private static <T> T distributedSum(
      SummationTree tree, int ranks, IntFunction<T> leafValue, BinaryOperator<T> add) {
    List<LeafRange> nodes = new ArrayList<>();
    List<T> partials = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      LeafRange owned = tree.ownedBy(rank, ranks);
      TreeAccumulator<T> accumulator = new TreeAccumulator<>(tree, owned, add, released -> {});
      for (int leaf = owned.from(); leaf < owned.to(); leaf++) {
        accumulator.push(leafValue.apply(leaf));
      }
      nodes.addAll(tree.partialsOf(rank, ranks));
      partials.addAll(accumulator.partials());
    }
    TreeAccumulator<T> combined = new TreeAccumulator<>(tree, nodes, add, released -> {});
    partials.forEach(combined::push);
    List<T> root = combined.partials();
    assertEquals(1, root.size());
    return root.get(0);
  }
}
