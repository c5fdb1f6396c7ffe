package org.sparkformer.collective;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

final class NoteTest {
  private static final FaultyTransport.Fault TWICE =
      (peer, frame, out) -> {
        out.send(frame);
        out.send(frame);
      };

  @Test
  void notesArriveOnceAndInOrderWhileOperationsGoOn() {
    List<Gang.Outcome<List<String>>> outcomes =
        gang(
            TWICE,
            rank -> {
              if (rank.rank() > 0) {
                rank.post(0, bytes("first of " + rank.rank()));
                rank.barrier();
                rank.post(0, bytes("second of " + rank.rank()));
                rank.barrier();
                return List.of();
              }
              rank.barrier();
              List<String> two = List.of(take(rank, 2), take(rank, 2));
              List<String> one = List.of(take(rank, 1), take(rank, 1));
              assertEquals(List.of("first of 1", "second of 1"), one);
              rank.barrier();
              return two;
            });
    outcomes.forEach(outcome -> assertNull(outcome.failure()));
    assertEquals(List.of("first of 2", "second of 2"), outcomes.get(0).value());
  }

  @Test
  void aNotePostedBeforeARankLeftIsStillTakenAndNoFurtherOneIsWaitedFor() {
    List<Gang.Outcome<String>> outcomes =
        gang(
            TWICE,
            rank -> {
              if (rank.rank() == 1) {
                rank.post(0, bytes("last words"));
                return null;
              }
              if (rank.rank() == 2) {
                return null;
              }
              assertEquals("last words", take(rank, 1));
              return take(rank, 1);
            });
    assertInstanceOf(CollectiveException.class, outcomes.get(0).failure());
    assertTrue(outcomes.get(0).message().contains("rank 1"), outcomes.get(0).message());
  }

  @Test
  void aNoteForNobodyOrTooLongIsRefused() {
    gang(
            TWICE,
            rank -> {
              byte[] small = new byte[1];
              byte[] large = new byte[Collective.LARGEST_NOTE + 1];
              int other = (rank.rank() + 1) % 3;
              assertThrows(IllegalArgumentException.class, () -> rank.post(rank.rank(), small));
              assertThrows(IllegalArgumentException.class, () -> rank.post(3, small));
              assertThrows(IllegalArgumentException.class, () -> rank.post(other, large));
              rank.post(other, new byte[Collective.LARGEST_NOTE]);
              rank.barrier();
              assertArrayEquals(
                  new byte[Collective.LARGEST_NOTE], takeBytes(rank, (rank.rank() + 2) % 3));
              return null;
            })
        .forEach(outcome -> assertNull(outcome.failure()));
  }

  private static <T> List<Gang.Outcome<T>> gang(
      FaultyTransport.Fault fault, Function<Collective, T> work) {
    CollectiveOptions options = Gang.options(Gang.newRun(), Duration.ofSeconds(60));
    return Gang.outcomes(
        InProcessTransport.group(options.runId(), 0, 3).stream()
            .map(transport -> new FaultyTransport(transport, fault))
            .toList(),
        transport -> new TreeCollective(new SummationTree(3), transport, options),
        work);
  }

  private static String take(Collective rank, int peer) {
    return new String(takeBytes(rank, peer), StandardCharsets.UTF_8);
  }

  private static byte[] takeBytes(Collective rank, int peer) {
    try {
      return rank.takeNote(peer);
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
