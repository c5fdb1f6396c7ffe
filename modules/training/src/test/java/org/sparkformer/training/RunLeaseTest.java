package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.testkit.DyingFileSystem;
import org.sparkformer.testkit.WatchedFiles;

class RunLeaseTest {
  /** A beat comes late where the machine is busy, and must still come before this is over. */
  private static final Duration LIMIT = Duration.ofSeconds(5);

  @TempDir Path folder;
  private final List<String> messages = new ArrayList<>();
  private RunFolder run;

  @BeforeEach
  void open() throws IOException {
    run = RunFolder.of(new Configuration(false), folder.resolve("run").toUri().toString());
  }

  @Test
  void theNextHolderNeedNotWaitForOneThatHasReleasedTheFolder() throws Exception {
    for (int token = 1; token <= 3; token++) {
      try (RunLease lease = acquire()) {
        assertEquals(token, lease.token());
        lease.requireHeld();
      }
    }
    assertEquals(List.of(), messages);
  }

  @Test
  void whileTheHolderGivesSignsOfLifeAnotherIsRefusedByName() throws Exception {
    try (RunLease held = acquire()) {
      String refusal = assertThrows(RunInUseException.class, this::acquire).getMessage();
      assertTrue(refusal.contains("application test, process "), refusal);
      held.requireHeld();
    }
  }

  @Test
  void ofManyThatComeAtOnceOneAloneGetsTheFolder() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(8);
    List<Future<RunLease>> attempts =
        threads.invokeAll(java.util.Collections.<Callable<RunLease>>nCopies(8, this::acquire));
    threads.shutdown();
    List<RunLease> held = new ArrayList<>();
    for (Future<RunLease> attempt : attempts) {
      try {
        held.add(attempt.get());
      } catch (ExecutionException refused) {
        assertTrue(refused.getCause() instanceof RunInUseException, refused::toString);
      }
    }
    assertEquals(1, held.size());
    held.get(0).requireHeld();
    held.get(0).close();
  }

  @Test
  void aHolderOnAnotherMachineIsTakenOverOnlyAfterTheLimit() throws Exception {
    WriterFolder writers = WriterFolder.of(run);
    assertTrue(
        writers.tryClaim(
            new WriterClaim(7, "id", "elsewhere", "boot pid", 1, "then", "app", "today")));
    writers.beat(7, 0, false);
    Files.writeString(folder.resolve("run/run.json.1234.tmp"), "about to be renamed");
    LeaseCheck old = new LeaseCheck(run, 7);
    old.requireOwner();
    long start = System.nanoTime();
    try (RunLease next = acquire()) {
      assertTrue(System.nanoTime() - start >= LIMIT.toNanos());
      assertEquals(8, next.token());
      assertTrue(messages.get(0).contains("process 1 on elsewhere"), messages.toString());
      String lost = assertThrows(RunInUseException.class, old::requireOwner).getMessage();
      assertTrue(lost.contains("is no longer this run's to write"), lost);
      assertFalse(Files.exists(folder.resolve("run/run.json.1234.tmp")));
    }
  }

  /** An instant would move when the clock is set, and the holder be taken for another process. */
  @Test
  void aHolderIsKnownByTheTicksAtWhichLinuxStartedIt() throws Exception {
    String[] status = Files.readString(Path.of("/proc/self/stat")).split("\\) ")[1].split(" ");
    assertEquals(status[22 - 3], WriterClaim.own(1, "this").started());
    assertFalse(WriterClaim.own(1, "this").isGone());
  }

  @Test
  void aHolderWhoseProcessHasEndedIsTakenOverAtOnce() throws Exception {
    Process ended = new ProcessBuilder("true").start();
    ended.waitFor();
    WriterClaim own = WriterClaim.own(1, "ended");
    WriterFolder.of(run)
        .tryClaim(
            new WriterClaim(
                1, "id", own.host(), own.machine(), ended.pid(), "100", "ended", own.time()));
    try (RunLease next = acquire()) {
      assertEquals(2, next.token());
    }
    assertEquals(List.of(), messages);
  }

  @Test
  void aCheckpointOfAHolderThatWasTakenOverAtTheLastMomentIsNotCommitted() throws Exception {
    RunLease held = acquire();
    LeaseCheck check = new LeaseCheck(run, held.token());
    CheckpointStore store = new CheckpointStore(run, 2);
    store.write(1, List.of(CheckpointFile.of("a", new byte[10])), check);
    CheckpointFile overtaken =
        new CheckpointFile(
            "a",
            stream -> {
              stream.write(1);
              WriterFolder.of(run).tryClaim(WriterClaim.own(held.token() + 1, "quicker"));
            });
    assertThrows(RunInUseException.class, () -> store.write(2, List.of(overtaken), check));
    assertEquals(List.of(1), store.steps());
    held.close();
  }

  @Test
  void aBeatThatTheFileSystemEndsWithAnUncheckedExceptionIsFollowedByOthers() throws Exception {
    FailingBeat files = new FailingBeat();
    run = new RunFolder(files, run.path());
    try (RunLease held = acquire()) {
      assertTrue(files.later.await(30, TimeUnit.SECONDS));
      held.requireHeld();
    }
  }

  /** Local disks that fail at the second sign of life, as HDFS does where its host has no name. */
  private static final class FailingBeat extends WatchedFiles {
    private final CountDownLatch later = new CountDownLatch(2);
    private int beats;

    FailingBeat() throws IOException {
      super(DyingFileSystem.local());
    }

    @Override
    protected void beforeCreate(org.apache.hadoop.fs.Path file) {
      if (!file.getName().contains(".alive")) {
        return;
      }
      beats++;
      if (beats == 2) {
        throw new IllegalArgumentException(new UnknownHostException("namenode"));
      } else if (beats > 2) {
        later.countDown();
      }
    }
  }

  private RunLease acquire() throws IOException {
    return RunLease.acquire(run, "test", LIMIT, messages::add);
  }
}
