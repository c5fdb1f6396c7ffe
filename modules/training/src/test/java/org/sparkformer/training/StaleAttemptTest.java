package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.testkit.DyingFileSystem;
import org.sparkformer.training.configuration.RunConfiguration;
import org.sparkformer.training.configuration.TrainingConfiguration;

/**
 * One of three ranks sleeps while its attempt ends and a newer one begins, and wakes up somewhere
 * in that one's training, its connections as they were. What it still sends reaches the newer ranks
 * and is of an older attempt; what it still writes is in no checkpoint of theirs.
 */
class StaleAttemptTest {
  private static final int RANKS = 3;
  private static final TrainingConfiguration TRAINING =
      TinyRun.training().steps(4).checkpointInterval(1).evalInterval(0).logInterval(1).build();

  @TempDir Path folder;
  private TokenDataset dataset;
  private RunSummary straight;
  private int[] points;
  private int wokeInTime;

  /**
   * @param admitted the attempt that may write
   */
  record Run(
      RunConfiguration configuration,
      TokenDataset dataset,
      org.apache.hadoop.fs.Path path,
      AtomicInteger admitted) {}

  @BeforeEach
  void trainStraight() throws Exception {
    dataset = TinyDataset.open(Files.createDirectory(folder.resolve("data")), 100, 0);
    List<Sleeper> sleepless = IntStream.range(0, RANKS).mapToObj(rank -> Sleeper.at(0)).toList();
    straight = Attempt.of(run("straight"), sleepless).start().summary();
    points = sleepless.stream().mapToInt(Sleeper::passed).toArray();
  }

  @AfterEach
  void close() throws Exception {
    dataset.close();
  }

  @Test
  void nothingOfARankThatSleptThroughARestartIsTaken() throws Exception {
    sleepAndWake(new Random(0), 20);
  }

  /**
   * The last checkpoint is committed by a rank whose attempt is over, or that sleeps from then on:
   * it removes no older one, and the newer attempt has none to write.
   */
  @ParameterizedTest
  @ValueSource(strings = {"manifest.json.*.tmp", "manifest.json"})
  void ofAFinishedRunNoCheckpointStaysThatIsNotToBeKept(String written) throws Exception {
    Run run = run("unpruned");
    Sleeper sleeper = Sleeper.when(() -> isInTheLastCheckpoint("unpruned", written));
    Attempt stale = Attempt.of(run, onlyRank(0, sleeper)).start();
    assertTrue(sleeper.awaitSleep(() -> stale.isOver(0)));
    stale.killAllBut(0);
    Attempt newer = Attempt.of(run, onlyRank(0, Attempt.Points.NONE));
    sleeper.wake();
    stale.awaitEnd(0);
    assertEquals(List.of(2, 3, 4), store("unpruned").steps());
    assertAsStraight("unpruned", newer.start().summary());
  }

  /** Whether there is such a file, and written to its end. */
  private boolean isInTheLastCheckpoint(String name, String glob) {
    Path last = folder.resolve(name).resolve("checkpoints/step-00000004");
    if (Files.notExists(last)) {
      return false;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(last, glob)) {
      for (Path file : files) {
        if (Files.size(file) > 0) {
          return true;
        }
      }
      return false;
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  @Tag("soak")
  @RepeatedTest(10)
  void nothingInAThousandInterleavings(RepetitionInfo hundred) throws Exception {
    sleepAndWake(new Random(hundred.getCurrentRepetition()), 100);
  }

  private void sleepAndWake(Random random, int interleavings) throws Exception {
    int tried = 0;
    for (int done = 0; done < interleavings; tried++) {
      done += interleave("try-" + tried, random) ? 1 : 0;
    }
    System.out.printf(
        "%d interleavings, in %d of which the rank woke before the newer attempt's end%n",
        interleavings, wokeInTime);
    assertTrue(wokeInTime > 0);
  }

  /**
   * False where the rank was done without having come to the point at which it was to sleep: how
   * often the ranks agree on whether to stop depends on the time.
   */
  private boolean interleave(String name, Random random) throws Exception {
    Run run = run(name);
    int rank = random.nextInt(RANKS);
    Sleeper sleeper = Sleeper.at(1 + random.nextInt(points[rank]));
    Attempt stale = Attempt.of(run, onlyRank(rank, sleeper)).start();
    if (!sleeper.awaitSleep(() -> stale.isOver(rank))) {
      assertAsStraight(name, stale.summary());
      return false;
    }
    stale.killAllBut(rank);

    Alarm alarm = new Alarm(1 + random.nextInt(points[0]), sleeper, stale, rank);
    Attempt newer = Attempt.of(run, onlyRank(0, alarm));
    stale.haunt(newer);
    RunSummary summary = summary(run, newer.start());
    if (alarm.rang()) {
      wokeInTime++;
      // Whatever it was at, it takes its leave of both others; at its last point, of the second.
      int least = sleeper.sleptAtItsLast() ? 1 : RANKS - 1;
      assertTrue(stale.framesToTheLiving() >= least, name);
    }
    alarm.ring();
    assertAsStraight(name, summary);
    return true;
  }

  private static List<Attempt.Points> onlyRank(int rank, Attempt.Points points) {
    return IntStream.range(0, RANKS)
        .mapToObj(other -> other == rank ? points : Attempt.Points.NONE)
        .toList();
  }

  /**
   * Of a rank that was asleep between the driver's answer and its file, the file may be first. The
   * newer attempt leaves that one alone too, and the next one removes it. Nothing else may cost a
   * restart.
   */
  private RunSummary summary(Run run, Attempt newer) throws Exception {
    try {
      return newer.summary();
    } catch (IOException taken) {
      String message = taken.getMessage();
      assertTrue(message.startsWith("cannot write the checkpoint"), message);
      assertTrue(message.endsWith(" is there already"), message);
      return Attempt.of(run, onlyRank(0, Attempt.Points.NONE)).start().summary();
    }
  }

  private void assertAsStraight(String name, RunSummary summary) throws Exception {
    assertEquals(straight.weightsSha256(), summary.weightsSha256(), name);
    assertTrue(moments("straight").sameAs(moments(name)), name);
    CheckpointStore store = store(name);
    assertEquals(List.of(3, 4), store.steps(), name);
    store.verify(3);
    store.verify(4);
  }

  private CheckpointStore store(String name) throws IOException {
    return new CheckpointStore(new RunFolder(DyingFileSystem.local(), run(name).path()), 2);
  }

  private SavedMoments moments(String name) throws Exception {
    return SavedMoments.of(
        folder.resolve(name).toUri().toString(), 4, TinyRun.configuration(TRAINING, 0.1).model());
  }

  private Run run(String name) {
    return new Run(
        TinyRun.configuration(TRAINING, 0.1),
        dataset,
        new org.apache.hadoop.fs.Path(folder.resolve(name).toUri()),
        new AtomicInteger());
  }

  /** Wakes the sleeper at a point, and lets it do all it still can before this rank goes on. */
  private static final class Alarm implements Attempt.Points {
    private final int at;
    private final Sleeper sleeper;
    private final Attempt stale;
    private final int rank;
    private int passed;
    private volatile boolean rang;

    Alarm(int at, Sleeper sleeper, Attempt stale, int rank) {
      this.at = at;
      this.sleeper = sleeper;
      this.stale = stale;
      this.rank = rank;
    }

    @Override
    public synchronized void pass() {
      passed++;
      if (passed == at) {
        rang = true;
        ring();
      }
    }

    /** Whether it rang before this rank's end. */
    boolean rang() {
      return rang;
    }

    void ring() {
      sleeper.wake();
      try {
        stale.awaitEnd(rank);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
