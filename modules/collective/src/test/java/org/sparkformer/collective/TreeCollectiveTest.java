package org.sparkformer.collective;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class TreeCollectiveTest {
  private static final int LEAVES = 7;

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 127, 1024, 9000, 1_000_003})
  void everyNumberOfRanksSumsToTheBitsOfOneRankByEveryAlgorithm(int length) {
    int[] expected = bits(oneByOne(length));
    for (Algorithm algorithm : Algorithm.values()) {
      ExchangeRule rule = ExchangeRule.always(algorithm);
      for (int size = 1; size <= 5; size++) {
        for (FloatBuffer sum : Gang.run(LEAVES, size, rule, rank -> allReduce(rank, length))) {
          assertArrayEquals(expected, bits(sum), length + " floats on " + size + ", " + algorithm);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0, DIRECT",
    "1, DIRECT",
    "127, DIRECT",
    "9000, DIRECT",
    "1000003, DIRECT",
    "9000, RING",
    "1000003, RING",
    "0, RING"
  })
  void scatteredShardsGatherToTheWholeSum(int length, Algorithm algorithm) {
    int[] expected = bits(oneByOne(length));
    ExchangeRule rule = ExchangeRule.always(algorithm);
    for (int size = 1; size <= 5; size++) {
      for (FloatBuffer all : Gang.run(LEAVES, size, rule, rank -> scatterAndGather(rank, length))) {
        assertArrayEquals(expected, bits(all), length + " floats on " + size + " ranks");
      }
    }
  }

  /**
   * Leaves are dealt out one a rank, round by round; in the last round some ranks may have none.
   */
  @ParameterizedTest
  @CsvSource({
    "1, 8", "2, 8", "4, 8", "8, 8", "2, 6", "4, 12", "3, 3", "3, 12", "3, 7", "5, 7", "6, 7", "4, 5"
  })
  void sumsOfNeighboursRoundByRoundAddUpToTheWholeSum(int size, int leaves) {
    for (int length : new int[] {0, 9000, 300_000}) {
      int[] expected = bits(expected(0, leaves, length));
      for (FloatBuffer all : Gang.run(leaves, size, rank -> roundByRound(rank, length))) {
        assertArrayEquals(expected, bits(all));
      }
    }
  }

  private static FloatBuffer roundByRound(Collective rank, int length) {
    List<LeafRange> nodes = new ArrayList<>();
    List<FloatBuffer> shards = new ArrayList<>();
    for (int first = 0; first < rank.tree().leaves(); first += rank.size()) {
      Addends round = Addends.from(rank.tree(), first, rank.size());
      List<FloatBuffer> sums =
          Stream.generate(() -> direct(rank.shard(length, rank.rank()).length()))
              .limit(round.sums().size())
              .toList();
      List<FloatBuffer> own = List.of(leaf(first + rank.rank(), length));
      rank.reduceScatter(round, own, sums, WirePrecision.FP32);
      nodes.addAll(round.sums());
      shards.addAll(sums);
    }
    TreeAccumulator<FloatBuffer> total =
        new TreeAccumulator<>(rank.tree(), nodes, TreeCollectiveTest::add, released -> {});
    shards.forEach(total::push);
    FloatBuffer all = direct(length);
    rank.allGather(total.partials().get(0), all);
    return all;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 127, 1_000_003})
  void aBroadcastReachesEveryRankFromAnyRoot(int length) {
    byte[] data = randomBytes(length);
    for (int size = 1; size <= 5; size++) {
      int root = size - 1;
      List<ByteBuffer> received =
          Gang.run(
              LEAVES,
              size,
              rank -> {
                ByteBuffer buffer = ByteBuffer.allocateDirect(length);
                if (rank.rank() == root) {
                  buffer.put(0, data);
                }
                rank.broadcast(root, buffer);
                return buffer;
              });
      received.forEach(buffer -> assertEquals(ByteBuffer.wrap(data), buffer));
    }
  }

  @Test
  void messagesOfDifferentLengthsReachEveryRankInOrder() {
    // Also a message that ends with a chunk, beside longer ones.
    int[] lengths = {1 << 14, 0, (1 << 14) + 1, 40_000, 1_000_003};
    for (int size = 1; size <= 5; size++) {
      for (List<byte[]> messages :
          Gang.run(LEAVES, size, rank -> rank.allGather(randomBytes(lengths[rank.rank()])))) {
        for (int rank = 0; rank < size; rank++) {
          assertArrayEquals(randomBytes(lengths[rank]), messages.get(rank));
        }
      }
    }
  }

  @Test
  void operationsFollowOneAnotherWithoutMixing() {
    Gang.run(
        LEAVES,
        4,
        rank -> {
          for (int round = 0; round < 60; round++) {
            int length = round * 331;
            assertArrayEquals(bits(oneByOne(length)), bits(allReduce(rank, length)));
            byte[] own = {(byte) rank.rank(), (byte) round};
            assertArrayEquals(new byte[] {2, (byte) round}, rank.allGather(own).get(2));
          }
          return null;
        });
  }

  @Test
  void noRankPassesABarrierBeforeTheLastArrives() {
    List<Integer> arrived = new ArrayList<>();
    Gang.run(
        LEAVES,
        3,
        rank -> {
          synchronized (arrived) {
            arrived.add(rank.rank());
          }
          rank.barrier();
          synchronized (arrived) {
            assertEquals(3, arrived.size());
          }
          return null;
        });
  }

  @Test
  void heapBuffersAndOpenEndsKeepTheirPositions() {
    Gang.run(
        2,
        2,
        rank -> {
          FloatBuffer partial = FloatBuffer.wrap(new float[] {9, 1, 2, 3, 9}).position(1).limit(4);
          FloatBuffer sum = FloatBuffer.wrap(new float[6]).position(2).limit(5);
          rank.allReduce(List.of(partial), sum);
          assertArrayEquals(new float[] {0, 0, 2, 4, 6, 0}, sum.array());
          assertEquals(
              List.of(1, 4, 2, 5),
              List.of(partial.position(), partial.limit(), sum.position(), sum.limit()));
          return null;
        });
  }

  @Test
  void theSumMayReplaceAPartial() {
    int length = 50_000;
    Gang.run(
        2,
        2,
        rank -> {
          FloatBuffer values = leaf(rank.rank(), length);
          rank.allReduce(List.of(values), values);
          assertArrayEquals(bits(expected(0, 2, length)), bits(values));
          return null;
        });
  }

  @Test
  void infinitiesAndNotANumberPassThroughBitForBit() {
    float payload = Float.intBitsToFloat(0x7fc12345);
    float[] special = {Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, payload, -0f};
    for (int size = 1; size <= 3; size++) {
      Gang.run(
          3,
          size,
          rank -> {
            List<FloatBuffer> partials = new ArrayList<>();
            for (LeafRange node : rank.tree().partialsOf(rank.rank(), rank.size())) {
              partials.add(
                  FloatBuffer.wrap(node.from() == 0 ? special : new float[] {1, 2, 3, -0f}));
            }
            FloatBuffer sum = FloatBuffer.allocate(special.length);
            rank.allReduce(partials, sum);
            assertArrayEquals(bits(FloatBuffer.wrap(special)), bits(sum));
            return null;
          });
    }
  }

  @Test
  void wrongArgumentsAreRefusedBeforeAnythingIsSent() {
    Gang.run(
        3,
        2,
        rank -> {
          FloatBuffer three = FloatBuffer.allocate(3);
          List<FloatBuffer> tooMany = List.of(three, three, three);
          assertThrows(IllegalArgumentException.class, () -> rank.allReduce(tooMany, three));
          assertThrows(
              IllegalArgumentException.class, () -> rank.allGather(FloatBuffer.allocate(4), three));
          assertThrows(
              IllegalArgumentException.class, () -> rank.broadcast(2, ByteBuffer.allocate(1)));
          rank.barrier();
          return null;
        });
  }

  @Test
  void shardsCoverTheVectorInWholeBlocks() {
    for (int length : new int[] {0, 1, 1023, 1024, 5000, Integer.MAX_VALUE}) {
      for (int ranks = 1; ranks <= 9; ranks++) {
        int next = 0;
        for (int rank = 0; rank < ranks; rank++) {
          ShardRange shard = ShardRange.of(length, rank, ranks);
          assertEquals(next, shard.offset());
          assertTrue(shard.length() == 0 || shard.offset() % ShardRange.BLOCK == 0);
          next = shard.end();
        }
        assertEquals(length, next);
      }
    }
  }

  private static FloatBuffer allReduce(Collective rank, int length) {
    FloatBuffer sum = direct(length);
    rank.allReduce(partials(rank, length), sum);
    return sum;
  }

  private static FloatBuffer scatterAndGather(Collective rank, int length) {
    FloatBuffer shard = direct(rank.shard(length, rank.rank()).length());
    rank.reduceScatter(partials(rank, length), shard);
    FloatBuffer all = direct(length);
    rank.allGather(shard, all);
    return all;
  }

  private static List<FloatBuffer> partials(Collective rank, int length) {
    LeafRange owned = rank.ownedLeaves();
    TreeAccumulator<FloatBuffer> accumulator =
        new TreeAccumulator<>(rank.tree(), owned, TreeCollectiveTest::add, released -> {});
    for (int leaf = owned.from(); leaf < owned.to(); leaf++) {
      accumulator.push(leaf(leaf, length));
    }
    return accumulator.partials();
  }

  private static FloatBuffer oneByOne(int length) {
    return expected(0, LEAVES, length);
  }

  /** The sum by its definition, with denormals taken for zeros. */
  private static FloatBuffer expected(int from, int count, int length) {
    if (count == 1) {
      return leaf(from, length);
    }
    int left = 1;
    while (2 * left < count) {
      left *= 2;
    }
    return add(expected(from, left, length), expected(from + left, count - left, length));
  }

  private static FloatBuffer add(FloatBuffer left, FloatBuffer right) {
    for (int i = 0; i < left.limit(); i++) {
      left.put(i, FlushedSumTest.defined(left.get(i), right.get(i)));
    }
    return left;
  }

  /** Values over 80 decimal orders, zeros and denormals among them. */
  private static FloatBuffer leaf(int leaf, int length) {
    Random random = new Random(leaf);
    FloatBuffer values = direct(length);
    for (int i = 0; i < length; i++) {
      values.put(i, Float.intBitsToFloat(random.nextInt() & 0x9fffffff));
    }
    return values;
  }

  private static FloatBuffer direct(int length) {
    return ByteBuffer.allocateDirect(length * Float.BYTES)
        .order(ByteOrder.nativeOrder())
        .asFloatBuffer();
  }

  private static int[] bits(FloatBuffer values) {
    int[] bits = new int[values.limit()];
    Arrays.setAll(bits, i -> Float.floatToRawIntBits(values.get(i)));
    return bits;
  }

  private static byte[] randomBytes(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }
}
