package org.sparkformer.collective;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ExchangeRuleTest {
  private static final int SIZE = 4;

  @ParameterizedTest
  @CsvSource({
    // ranks, KiB, all-reduce, all-gather
    "1, 1000000, ONE_SHOT, DIRECT",
    "2, 128, ONE_SHOT, DIRECT",
    "2, 129, DIRECT, DIRECT",
    "4, 42, ONE_SHOT, DIRECT",
    "4, 43, DIRECT, DIRECT",
    "16, 8, ONE_SHOT, DIRECT",
    "16, 9, DIRECT, DIRECT",
    "16, 1000000, DIRECT, DIRECT",
    "17, 8, ONE_SHOT, DIRECT",
    "17, 4351, DIRECT, DIRECT",
    "17, 4352, RING, RING",
    "1000, 255999, DIRECT, DIRECT",
    "1000, 256000, RING, RING"
  })
  void choosesByRanksAndBytes(int ranks, long kibibytes, Algorithm reduce, Algorithm gather) {
    assertEquals(reduce, ExchangeRule.DEFAULT.allReduce(ranks, kibibytes << 10));
    assertEquals(gather, ExchangeRule.DEFAULT.allGather(ranks, kibibytes << 10));
  }

  @Test
  void aRingTakesMoreThanTheDirectRanks() {
    ExchangeRule rule = ExchangeRule.DEFAULT.withDirectRanks(3);
    assertEquals(Algorithm.DIRECT, rule.allGather(3, 1L << 40));
    assertEquals(Algorithm.RING, rule.allGather(4, 1L << 40));
    assertThrows(IllegalArgumentException.class, () -> rule.withDirectRanks(0));
  }

  @Test
  void longVectorsGoToTheNextRankAloneAndShortOnesToAll() {
    int longest = SIZE * ShardRange.BLOCK;
    ExchangeRule rule = new ExchangeRule(0, 2, (long) ShardRange.BLOCK * Float.BYTES);
    assertEquals(Set.of(1), receivers(rule, rank -> gather(rank, longest)));
    assertEquals(Set.of(1, 2, 3), receivers(rule, rank -> gather(rank, longest - 1)));
  }

  @Test
  void anAllReduceGathersNothingInOneShot() {
    assertEquals(Set.of(), receivers(ExchangeRule.always(Algorithm.ONE_SHOT), sum()));
    assertEquals(Set.of(1, 2, 3), receivers(ExchangeRule.always(Algorithm.DIRECT), sum()));
    assertEquals(Set.of(1), receivers(ExchangeRule.always(Algorithm.RING), sum()));
  }

  private static Consumer<Collective> sum() {
    return rank -> rank.allReduce(List.of(FloatBuffer.allocate(5000)), FloatBuffer.allocate(5000));
  }

  private static void gather(Collective rank, int length) {
    FloatBuffer shard = FloatBuffer.allocate(rank.shard(length, rank.rank()).length());
    rank.allGather(shard, FloatBuffer.allocate(length));
  }

  /** To whom parts of the result are sent, counted from their sender on. */
  private static Set<Integer> receivers(ExchangeRule rule, Consumer<Collective> work) {
    Set<Integer> receivers = new ConcurrentSkipListSet<>();
    CollectiveOptions options = Gang.options(Gang.newRun(), Duration.ofSeconds(60)).withRule(rule);
    FaultyTransport.Fault watch =
        (peer, frame, out) -> {
          FrameHeader header = header(frame, options);
          if (header.operation() != Operation.FAREWELL && header.key().phase() == FrameKey.GATHER) {
            receivers.add(Math.floorMod(peer - header.sender(), SIZE));
          }
          out.send(frame);
        };
    Gang.outcomes(
            InProcessTransport.group(options.runId(), 0, SIZE).stream()
                .map(transport -> new FaultyTransport(transport, watch))
                .toList(),
            transport -> new TreeCollective(new SummationTree(SIZE), transport, options),
            rank -> {
              work.accept(rank);
              return null;
            })
        .forEach(outcome -> assertNull(outcome.failure()));
    return receivers;
  }

  private static FrameHeader header(byte[] frame, CollectiveOptions options) {
    try {
      return new FrameCodec(options.runId(), 0).open(ByteBuffer.wrap(frame)).orElseThrow();
    } catch (DamagedFrameException damaged) {
      throw new AssertionError(damaged);
    }
  }
}
