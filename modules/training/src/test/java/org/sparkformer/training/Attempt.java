package org.sparkformer.training;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkformer.collective.Collective;
import org.sparkformer.collective.CollectiveOptions;
import org.sparkformer.collective.ForwardingTransport;
import org.sparkformer.collective.InProcessTransport;
import org.sparkformer.collective.SummationTree;
import org.sparkformer.collective.TreeCollective;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.reference.JavaBackend;
import org.sparkformer.testkit.DyingFileSystem;
import org.sparkformer.testkit.WatchedFiles;
import org.sparkformer.training.StaleAttemptTest.Run;

/**
 * One attempt at a run: ranks that are threads, each of which passes points: whenever it has been
 * told that it may write, before each change of a file and before each frame.
 */
final class Attempt {
  private static final Duration LONG = Duration.ofSeconds(40);

  /** Milliseconds within which a rank that has heard an interrupt is at its end. */
  private static final long HEARD = 2000;

  /** What happens to a rank on its way. */
  interface Points {
    Points NONE = () -> {};

    void pass();
  }

  private final Run run;
  private final int number;
  private final List<InProcessTransport> transports;
  private final List<RankThread> ranks = new ArrayList<>();
  private final AtomicInteger framesToTheLiving = new AtomicInteger();
  private volatile Attempt living;

  private Attempt(Run run, int ranks) {
    this.run = run;
    this.number = run.admitted().incrementAndGet();
    this.transports = InProcessTransport.group(run.path().toString(), number, ranks);
  }

  /** Ranks about to start; those of older attempts may write no more. */
  static Attempt of(Run run, List<? extends Points> points) {
    Attempt attempt = new Attempt(run, points.size());
    for (int rank = 0; rank < points.size(); rank++) {
      attempt.ranks.add(attempt.new RankThread(rank, points.get(rank)));
    }
    return attempt;
  }

  Attempt start() {
    ranks.forEach(Thread::start);
    return this;
  }

  /** From now on, what a rank of this attempt sends reaches a newer one's ranks as well. */
  void haunt(Attempt newer) {
    living = newer;
  }

  int framesToTheLiving() {
    return framesToTheLiving.get();
  }

  /**
   * Ends the others, as Spark ends the tasks of a stage that has failed. Asks again where one is
   * not heard: without its native library Hadoop runs chmod for each file, and a thread that waits
   * for that one's output loses an interrupt.
   */
  void killAllBut(int survivor) throws InterruptedException {
    for (RankThread rank : ranks) {
      if (rank.rank != survivor) {
        kill(rank);
      }
    }
  }

  private void kill(RankThread rank) throws InterruptedException {
    long end = System.nanoTime() + LONG.toNanos();
    while (rank.isAlive() && System.nanoTime() < end) {
      rank.interrupt();
      rank.join(HEARD);
    }
    awaitEnd(rank.rank);
  }

  boolean isOver(int rank) {
    return !ranks.get(rank).isAlive();
  }

  void awaitEnd(int rank) throws InterruptedException {
    ranks.get(rank).join(LONG.toMillis());
    if (ranks.get(rank).isAlive()) {
      throw new AssertionError(
          "rank %d of attempt %d goes on%n%s".formatted(rank, number, threads()));
    }
  }

  private static String threads() {
    return Thread.getAllStackTraces().entrySet().stream()
        .filter(entry -> entry.getKey().getName().matches("(attempt|sparkformer)-.*"))
        .map(entry -> entry.getKey().getName() + ": " + Arrays.toString(entry.getValue()))
        .collect(Collectors.joining("\n"));
  }

  /**
   * Waits for all ranks.
   *
   * @throws Exception what ended them; rather a file system's error than what followed from it
   */
  RunSummary summary() throws Exception {
    for (RankThread rank : ranks) {
      awaitEnd(rank.rank);
    }
    List<Exception> failures = ranks.stream().map(r -> r.failure).filter(Objects::nonNull).toList();
    if (failures.isEmpty()) {
      return ranks.get(0).summary;
    }
    throw failures.stream()
        .filter(IOException.class::isInstance)
        .findFirst()
        .orElse(failures.get(0));
  }

  private final class RankThread extends Thread {
    private final int rank;
    private final Points points;
    private RunSummary summary;
    private Exception failure;

    RankThread(int rank, Points points) {
      super("attempt-" + number + "-rank-" + rank);
      this.rank = rank;
      this.points = points;
    }

    @Override
    public void run() {
      try {
        summary = train();
      } catch (Exception ended) {
        failure = ended;
      }
    }

    private RunSummary train() throws Exception {
      FileSystem files = new PointedFiles(DyingFileSystem.local(), points);
      TrainingRun training =
          new TrainingRun(
              run.configuration(), run.dataset(), new RunFolder(files, run.path()), true);
      SummationTree tree = new SummationTree(training.configuration().training().microBatches());
      CollectiveOptions options = CollectiveOptions.of(run.path().toString(), number, LONG);
      try (Collective collective = new TreeCollective(tree, new PointedTransport(this), options);
          Backend backend = new JavaBackend(1)) {
        return new RankTrainer(training, new Rank(backend, collective, TinyRun.SIZES), driver())
            .train();
      }
    }

    /** Knows which attempt may write, as the driver does. */
    private TrainingListener driver() {
      return new TrainingListener() {
        @Override
        public void beforeCommit() throws IOException {
          if (run.admitted().get() != number) {
            throw new IOException("attempt " + number + " is over");
          }
          points.pass();
        }
      };
    }
  }

  private final class PointedTransport extends ForwardingTransport {
    private final Points points;

    PointedTransport(RankThread rank) {
      super(transports.get(rank.rank));
      this.points = rank.points;
    }

    @Override
    public void send(int peer, ByteBuffer frame, Runnable released) {
      points.pass();
      Attempt newer = living;
      if (newer != null) {
        newer.transports.get(rank()).send(peer, frame.duplicate().order(frame.order()), () -> {});
        framesToTheLiving.incrementAndGet();
      }
      super.send(peer, frame, released);
    }
  }

  private static final class PointedFiles extends WatchedFiles {
    private final Points points;

    PointedFiles(FileSystem fileSystem, Points points) {
      super(fileSystem);
      this.points = points;
    }

    @Override
    protected void beforeCreate(Path file) {
      points.pass();
    }

    /** Behind a stream that promises nothing, so that no disk is waited for. */
    @Override
    protected FSDataOutputStream watched(Path file, FSDataOutputStream stream) {
      return new FSDataOutputStream(new BufferedOutputStream(stream), null) {
        @Override
        public void close() throws IOException {
          points.pass();
          super.close();
        }
      };
    }

    @Override
    public boolean rename(Path from, Path to) throws IOException {
      points.pass();
      return super.rename(from, to);
    }

    @Override
    public boolean delete(Path path, boolean recursive) throws IOException {
      points.pass();
      return super.delete(path, recursive);
    }
  }
}
