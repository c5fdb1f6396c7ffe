package org.sparkformer.collective;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class WirePrecisionTest {
  private static final SummationTree TREE = new SummationTree(7);

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 1025, 9001, 300_003})
  void partialSumsAreRoundedAndTheirSumIsNot(int length) {
    for (int size = 1; size <= 5; size++) {
      float[] expected = size == 1 ? sum(length, 1, false) : sum(length, size, true);
      List<float[]> shards = Gang.run(TREE.leaves(), size, rank -> shard(rank, length));
      for (int rank = 0; rank < size; rank++) {
        ShardRange range = ShardRange.of(length, rank, size);
        for (int i = 0; i < range.length(); i++) {
          assertEquals(expected[range.offset() + i], shards.get(rank)[i], size + " ranks");
        }
      }
    }
  }

  @Test
  void halfTheBytesCross() {
    int length = 1 << 20;
    long full = payloadBytes(length, WirePrecision.FP32);
    assertEquals((long) length * Float.BYTES, full);
    assertEquals(full / 2, payloadBytes(length, WirePrecision.BF16));
  }

  @Test
  void ranksThatDifferInPrecisionAreToldSo() {
    CollectiveOptions options = Gang.options(Gang.newRun(), Duration.ofSeconds(60));
    List<Gang.Outcome<float[]>> outcomes =
        Gang.outcomes(
            InProcessTransport.group(options.runId(), 0, 2),
            transport -> new TreeCollective(new SummationTree(2), transport, options),
            rank -> {
              FloatBuffer shard = FloatBuffer.allocate(rank.shard(5000, rank.rank()).length());
              rank.reduceScatter(
                  Addends.all(rank.tree(), 2),
                  List.of(FloatBuffer.allocate(5000)),
                  List.of(shard),
                  WirePrecision.values()[rank.rank()]);
              return null;
            });
    String messages = outcomes.get(0).message() + outcomes.get(1).message();
    assertTrue(messages.contains("must agree on all ranks"), messages);
  }

  /** Payloads of a reduce-scatter between two ranks, as their transports were given them. */
  private static long payloadBytes(int length, WirePrecision precision) {
    AtomicLong bytes = new AtomicLong();
    FaultyTransport.Fault count =
        (peer, frame, out) -> {
          bytes.addAndGet(frame.length - FrameCodec.HEADER_BYTES);
          out.send(frame);
        };
    CollectiveOptions options = Gang.options(Gang.newRun(), Duration.ofSeconds(60));
    List<FaultyTransport> transports = new ArrayList<>();
    for (Transport transport : InProcessTransport.group(options.runId(), 0, 2)) {
      transports.add(new FaultyTransport(transport, count));
    }
    Gang.outcomes(
            transports,
            transport -> new TreeCollective(new SummationTree(2), transport, options),
            rank -> {
              FloatBuffer shard = FloatBuffer.allocate(rank.shard(length, rank.rank()).length());
              rank.reduceScatter(
                  Addends.all(rank.tree(), 2),
                  List.of(leaf(rank.rank(), length)),
                  List.of(shard),
                  precision);
              return null;
            })
        .forEach(outcome -> assertEquals("null", outcome.message()));
    return bytes.get();
  }

  private static float[] shard(Collective rank, int length) {
    List<FloatBuffer> partials = new ArrayList<>();
    for (LeafRange node : rank.tree().partialsOf(rank.rank(), rank.size())) {
      partials.add(FloatBuffer.wrap(node(node, length)));
    }
    List<FloatBuffer> untouched = partials.stream().map(WirePrecisionTest::copy).toList();
    FloatBuffer shard = FloatBuffer.allocate(rank.shard(length, rank.rank()).length());
    Addends addends = Addends.all(rank.tree(), rank.size());
    rank.reduceScatter(addends, partials, List.of(shard), WirePrecision.BF16);
    for (int i = 0; i < partials.size(); i++) {
      assertArrayEquals(untouched.get(i).array(), partials.get(i).array());
    }
    return shard.array();
  }

  /** The sum of all ranks' partial sums by its definition. */
  private static float[] sum(int length, int size, boolean rounded) {
    List<LeafRange> nodes = new ArrayList<>();
    for (int rank = 0; rank < size; rank++) {
      nodes.addAll(TREE.partialsOf(rank, size));
    }
    TreeAccumulator<float[]> sum =
        new TreeAccumulator<>(TREE, nodes, WirePrecisionTest::add, released -> {});
    for (LeafRange node : nodes) {
      float[] values = node(node, length);
      for (int i = 0; rounded && i < length; i++) {
        values[i] = BFloat16FormatTest.rounded(values[i]);
      }
      sum.push(values);
    }
    return sum.partials().get(0);
  }

  private static float[] node(LeafRange node, int length) {
    TreeAccumulator<float[]> sum =
        new TreeAccumulator<>(TREE, node, WirePrecisionTest::add, released -> {});
    for (int leaf = node.from(); leaf < node.to(); leaf++) {
      sum.push(leaf(leaf, length).array());
    }
    return sum.partials().get(0);
  }

  private static float[] add(float[] left, float[] right) {
    for (int i = 0; i < left.length; i++) {
      left[i] = FlushedSumTest.defined(left[i], right[i]);
    }
    return left;
  }

  private static FloatBuffer leaf(int leaf, int length) {
    Random random = new Random(leaf);
    FloatBuffer values = FloatBuffer.allocate(length);
    for (int i = 0; i < length; i++) {
      values.put(i, (float) random.nextGaussian());
    }
    return values;
  }

  private static FloatBuffer copy(FloatBuffer values) {
    return FloatBuffer.wrap(values.array().clone());
  }
}
