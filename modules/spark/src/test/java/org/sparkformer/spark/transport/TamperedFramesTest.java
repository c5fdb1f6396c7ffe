package org.sparkformer.spark.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkformer.collective.Collective;
import org.sparkformer.collective.CollectiveException;
import org.sparkformer.testkit.TamperingProxy;
import org.sparkformer.testkit.TamperingProxy.Framing;

/**
 * A proxy between two ranks' processes, plain and under TLS. However it tampers, every sum that
 * comes out is right, and what was changed ends the run within 5 seconds by itself, whether the
 * ranks have one connection, as they do unless told otherwise, or several.
 */
final class TamperedFramesTest {
  private static final int TRIALS = Integer.getInteger("tamper.trials", 1000);

  /** A handshake a trial: one in twenty, where no soak test is asked for. */
  private static final int TLS_TRIALS = TRIALS / 20;

  private static final int SEVERAL = 3;
  private static final int TIMEOUT_SECONDS = 600;
  private static final int LOST_ENDS = 10;

  /** In a record of TLS. */
  private static final int LENGTH_AT = 3;

  private static final int ROUNDS = 20;
  private static final Duration LONGEST = Duration.ofSeconds(5);

  private static final TamperingProxy.Fault NONE = (number, message, out) -> out.send(message);

  @TempDir static Path folder;

  private final Random random = new Random(17);
  private int runs;

  /** What a run came to. */
  private record Outcome(int rightSums, Optional<String> ending) {
    boolean aborted() {
      return ending.isPresent();
    }

    boolean unharmed() {
      return !aborted() && rightSums == ROUNDS;
    }
  }

  @ParameterizedTest
  @EnumSource
  void aFlippedBitEndsTheRun(Framing framing) throws Exception {
    flip(framing, 1, trials(framing));
  }

  @ParameterizedTest
  @EnumSource
  void aFlippedBitOnOneOfSeveralConnectionsEndsTheRun(Framing framing) throws Exception {
    flip(framing, SEVERAL, someTrials(framing));
  }

  @Test
  @Tag("soak")
  void aThousandFlippedBitsUnderTls() throws Exception {
    flip(Framing.TLS, 1, TRIALS);
  }

  private void flip(Framing framing, int connections, int trials) throws Exception {
    try (Pair pair = new Pair(framing, connections)) {
      for (int trial = 0; trial < trials; trial++) {
        AtomicInteger flipped = new AtomicInteger(-1);
        Outcome outcome =
            pair.tamper(
                message -> {
                  int at = random.nextInt(message.length);
                  flipped.set(at);
                  return List.of(flip(message, at, random.nextInt(8)));
                });
        assertFlipEnded(framing, flipped.get(), outcome);
      }
    }
  }

  /** The version that a record of TLS 1.3 says is to be ignored (RFC 8446, section 5.1). */
  private static void assertFlipEnded(Framing framing, int at, Outcome outcome) {
    boolean ignored = framing == Framing.TLS && (at == 1 || at == 2);
    assertTrue(outcome.aborted() || ignored && outcome.unharmed(), "byte " + at);
  }

  /** A reader that is told of more than there is waits for it. */
  @ParameterizedTest
  @EnumSource
  void eachFlippedBitOfAHeaderEndsTheRun(Framing framing) throws Exception {
    try (Pair pair = new Pair(framing, 1)) {
      for (int bit = 0; bit < 8 * framing.headerBytes(); bit++) {
        int at = bit / 8;
        int of = bit % 8;
        assertFlipEnded(framing, at, pair.tamper(message -> List.of(flip(message, at, of))));
      }
    }
  }

  /** What would come on the other connections is not handed on meanwhile. */
  @Test
  void aDamagedLengthOnOneOfSeveralConnectionsEndsTheRun() throws Exception {
    try (Pair pair = new Pair(Framing.TLS, SEVERAL)) {
      Outcome outcome = pair.tamper(message -> List.of(lengthened(message)));
      assertTrue(outcome.ending().orElse("").contains("makes up no messages"), outcome.toString());
    }
  }

  /** A record that says it is 8 KiB longer. */
  private static byte[] lengthened(byte[] message) {
    ByteBuffer record = ByteBuffer.wrap(message);
    record.putShort(LENGTH_AT, (short) (record.getShort(LENGTH_AT) + (8 << 10)));
    return message;
  }

  private static byte[] flip(byte[] message, int at, int bit) {
    message[at] ^= (byte) (1 << bit);
    return message;
  }

  @ParameterizedTest
  @EnumSource
  void aMessageWhoseEndIsLostEndsTheRun(Framing framing) throws Exception {
    try (Pair pair = new Pair(framing, 1)) {
      for (int trial = 0; trial < LOST_ENDS; trial++) {
        Outcome outcome =
            pair.tamper(
                message -> List.of(Arrays.copyOf(message, 1 + random.nextInt(message.length - 1))));
        assertTrue(outcome.aborted(), "trial " + trial);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aMessageCutShortEndsTheRun(Framing framing) throws Exception {
    cut(framing, 1, trials(framing));
  }

  @ParameterizedTest
  @EnumSource
  void aMessageCutShortOnOneOfSeveralConnectionsEndsTheRun(Framing framing) throws Exception {
    cut(framing, SEVERAL, someTrials(framing));
  }

  @Test
  @Tag("soak")
  void aThousandMessagesCutShortUnderTls() throws Exception {
    cut(Framing.TLS, 1, TRIALS);
  }

  private void cut(Framing framing, int connections, int trials) throws Exception {
    try (Pair pair = new Pair(framing, connections)) {
      for (int trial = 0; trial < trials; trial++) {
        Outcome outcome =
            pair.tamper(
                message -> {
                  int least = framing.headerBytes() + 6;
                  int kept = least + random.nextInt(message.length - least);
                  return List.of(framing.cut(message, kept));
                });
        assertTrue(outcome.aborted(), "trial " + trial);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aLostMessageOnOneOfSeveralConnectionsEndsTheRun(Framing framing) throws Exception {
    try (Pair pair = new Pair(framing, SEVERAL)) {
      for (int trial = 0; trial < SEVERAL; trial++) {
        assertNoticed(framing, pair.tamper(message -> List.of()));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void repeatedAndReplayedMessagesEndTheRun(Framing framing) throws Exception {
    repeatAndReplay(framing, 1, TLS_TRIALS);
  }

  @ParameterizedTest
  @EnumSource
  void repeatedAndReplayedMessagesOnOneOfSeveralConnectionsEndTheRun(Framing framing)
      throws Exception {
    repeatAndReplay(framing, SEVERAL, someTrials(Framing.TLS));
  }

  @Test
  @Tag("soak")
  void aThousandRepeatedAndAThousandReplayedRecords() throws Exception {
    repeatAndReplay(Framing.TLS, 1, TRIALS);
  }

  private void repeatAndReplay(Framing framing, int connections, int trials) throws Exception {
    try (Pair pair = new Pair(framing, connections)) {
      for (int trial = 0; trial < 2 * trials; trial++) {
        boolean replay = trial % 2 == 1;
        byte[][] last = new byte[1][];
        assertNoticed(
            framing,
            pair.tamper(
                message -> List.of(message, replay && last[0] != null ? last[0] : message),
                message -> last[0] = message.clone()));
      }
    }
  }

  /** By the frame's number or the record's; what is replayed may be the greeting, too. */
  private static void assertNoticed(Framing framing, Outcome outcome) {
    String ending = outcome.ending().orElse("");
    assertTrue(outcome.aborted(), outcome.toString());
    assertTrue(
        framing == Framing.TLS || ending.contains("was due") || ending.contains("is no frame"),
        outcome.toString());
  }

  private static int trials(Framing framing) {
    return framing == Framing.TLS ? TLS_TRIALS : TRIALS;
  }

  private static int someTrials(Framing framing) {
    return trials(framing) / 10;
  }

  private interface Change {
    List<byte[]> apply(byte[] message);
  }

  private interface Watch {
    void pass(byte[] message);
  }

  /** This process's rank 0 and another's rank 1, with the proxy between them. */
  private final class Pair implements AutoCloseable {
    private final Framing framing;
    private final int connections;
    private final SparkNetwork network;
    private final SummingPeer peer;

    Pair(Framing framing, int connections) throws Exception {
      this.framing = framing;
      this.connections = connections;
      SparkConf conf = framing == Framing.TLS ? Networks.tls("secret", folder) : Networks.plain();
      this.network = Networks.network(conf);
      this.peer = SummingPeer.start(conf);
    }

    Outcome tamper(Change change) throws Exception {
      return tamper(change, message -> {});
    }

    /**
     * Changes one message after the first sum, on each connection in turn; the run then ends in
     * time, or goes on unharmed.
     */
    Outcome tamper(Change change, Watch watch) throws Exception {
      AtomicInteger sums = new AtomicInteger();
      AtomicLong changed = new AtomicLong();
      TamperingProxy.Fault fault =
          (number, message, out) -> {
            if (sums.get() > 0 && changed.compareAndSet(0, System.nanoTime())) {
              for (byte[] sent : change.apply(message)) {
                out.send(sent);
              }
            } else {
              watch.pass(message);
              out.send(message);
            }
          };
      Outcome outcome = run(runs % connections, fault, sums);
      assertTrue(changed.get() != 0, "nothing was tampered with");
      Duration took = Duration.ofNanos(System.nanoTime() - changed.get());
      assertTrue(took.compareTo(LONGEST) < 0, "the run ended only after " + took);
      return outcome;
    }

    private Outcome run(int connection, TamperingProxy.Fault fault, AtomicInteger sums)
        throws IOException {
      String run = "tampered-" + runs++;
      try (RankServer server = SparkTransport.listen(network, run, 0, 2, connections);
          TamperingProxy proxy =
              new TamperingProxy(
                  Addresses.port(server.address()),
                  framing,
                  number -> number == connection ? fault : NONE)) {
        String one = peer.begin(run, "localhost:" + proxy.port(), TIMEOUT_SECONDS, connections);
        Optional<String> ending = Optional.empty();
        try (Collective collective =
            SparkTransportTest.collective(
                server.connect(List.of(server.address(), one), 0, SummingPeer.LONG),
                run,
                TIMEOUT_SECONDS)) {
          collective.watch(SummingPeer.SUMMING);
          for (int round = 0; round < ROUNDS; round++) {
            assertTrue(SummingPeer.sumIsRight(collective, round), "a wrong sum");
            sums.incrementAndGet();
          }
        } catch (CollectiveException ended) {
          ending = Optional.of(ended.getMessage());
        }
        assertEquals(0, peer.wrongSums());
        return new Outcome(sums.get(), ending);
      }
    }

    @Override
    public void close() {
      peer.close();
    }
  }
}
