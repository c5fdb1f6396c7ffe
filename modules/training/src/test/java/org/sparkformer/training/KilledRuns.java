package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.testkit.CountedChanges;
import org.sparkformer.testkit.DyingFileSystem;
import org.sparkformer.testkit.DyingObjectStore;
import org.sparkformer.testkit.LoggedProcess;
import org.sparkformer.training.configuration.RunConfiguration;
import org.sparkformer.training.configuration.TrainingConfiguration;

/**
 * Runs in processes of their own, which end at a bad moment, and one that nothing happens to.
 *
 * @param folder local, of the dataset and of what the processes say
 * @param root URI of the folder of runs, on any Hadoop file system
 */
record KilledRuns(Path folder, String root) {
  /** No operation, and no step, is that late. */
  static final int NEVER = Integer.MAX_VALUE;

  /** Any file. */
  private static final String ANY = "";

  private static final int SURVIVES = 0;
  private static final int STEPS = 20;
  private static final String DONE = "done";
  private static final String COMMITTED = "committed";
  private static final String UNBROKEN = "unbroken";

  /**
   * How a process ended.
   *
   * @param steps that it said it has done
   * @param committed the last step whose checkpoint it said is committed; 0 for none
   */
  record Outcome(int status, List<Integer> steps, int committed) {}

  /** Trains the run that the others are compared with. */
  static KilledRuns in(Path folder, String root) throws Exception {
    TinyDataset.open(Files.createDirectory(folder.resolve("data")), 100, 40).close();
    KilledRuns runs = new KilledRuns(folder, root);
    Child.train(runs.data(), runs.output(UNBROKEN), 1, TrainingListener.NONE);
    return runs;
  }

  private String data() {
    return folder.resolve("data").toString();
  }

  /**
   * Trains until the process is killed or at its end.
   *
   * @param deadly step; when the process says that it has done it, it is killed
   */
  Outcome trainUntil(int deadly, String run, int ranks) throws Exception {
    return requireCommitted(run, start(run, ranks, SURVIVES, ANY, deadly));
  }

  /**
   * Trains until the process comes to a change of its files, ends with it, and is started again.
   *
   * @return whether it came to that one
   */
  boolean endsAndGoesOn(int number, String run, int ranks) throws Exception {
    boolean ended = endsAtChange(number, ANY, run, ranks);
    if (ended) {
      assertGoesOn(run, ranks, newest(run));
    }
    return ended;
  }

  /**
   * Trains until the process comes to a change of its files, and ends with it.
   *
   * @param file part of the names of the files whose changes count
   */
  boolean endsAtChange(int number, String file, String run, int ranks) throws Exception {
    int status = requireCommitted(run, start(run, ranks, number, file, NEVER)).status();
    assertTrue(status == 0 || status == DyingFileSystem.EXIT_STATUS, () -> log(run));
    return status != 0;
  }

  /** What the process told of is there when it has ended. */
  private Outcome requireCommitted(String run, Outcome outcome) throws IOException {
    int newest = newest(run);
    assertTrue(newest >= outcome.committed(), () -> outcome + " and then " + newest);
    return outcome;
  }

  /** Trains on to the end, from a checkpoint, and ends as the unbroken run did. */
  void assertGoesOn(String run, int ranks, int checkpoint) throws Exception {
    Outcome outcome = start(run, ranks, SURVIVES, ANY, NEVER);
    assertEquals(0, outcome.status(), () -> log(run));
    // None where the last checkpoint was committed, and only the run's end was not told.
    assertEquals(IntStream.rangeClosed(checkpoint + 1, STEPS).boxed().toList(), outcome.steps());
    assertEquals(weights(UNBROKEN), weights(run));
    assertTrue(moments(UNBROKEN).sameAs(moments(run)), run);
    assertEquals(state(UNBROKEN), state(run));
    assertEquals(losses(UNBROKEN), losses(run));
  }

  private String weights(String run) throws IOException {
    return Json.tree(output(run).read(RunSummary.FILE_NAME).orElseThrow())
        .get("weights_sha256")
        .asText();
  }

  private SavedMoments moments(String run) throws IOException {
    return SavedMoments.of(output(run).path().toString(), STEPS, Child.configuration().model());
  }

  /** Position, seed and losses of the last checkpoint: all that may differ is the time it took. */
  private CheckpointState state(String run) throws IOException {
    RunFolder last = new CheckpointStore(output(run), 2).folder(STEPS);
    CheckpointState state =
        Json.read(last.read(CheckpointState.FILE_NAME).orElseThrow(), CheckpointState.class);
    return new CheckpointState(
        state.progress().withWallSeconds(0), state.nextSample(), state.seed(), state.dataset());
  }

  /** Of each step, once: other samples, or one of them twice, would give others. */
  private List<String> losses(String run) throws IOException {
    byte[] metrics = output(run).read(MetricsWriter.FILE_NAME).orElseThrow();
    List<String> losses = new ArrayList<>();
    for (String line : new String(metrics, StandardCharsets.UTF_8).lines().toList()) {
      var json = Json.tree(line.getBytes(StandardCharsets.UTF_8));
      losses.add("%s %s %s".formatted(json.get("step"), json.get("loss"), json.get("val_loss")));
    }
    return losses;
  }

  List<Integer> checkpoints(String run) throws IOException {
    return new CheckpointStore(output(run), 2).steps();
  }

  /** 0 where there is none. */
  int newest(String run) throws IOException {
    List<Integer> checkpoints = checkpoints(run);
    return checkpoints.isEmpty() ? 0 : checkpoints.get(checkpoints.size() - 1);
  }

  RunFolder output(String run) throws IOException {
    return RunFolder.of(hadoop(), root + "/" + run);
  }

  /** HDFS's client asks again, after 400 ms by default, whether what it wrote has arrived. */
  private static Configuration hadoop() {
    Configuration hadoop = new Configuration();
    hadoop.setInt("dfs.client.block.write.locateFollowingBlock.initial.delay.ms", 10);
    hadoop.setInt("dfs.client.block.write.locateFollowingBlock.retries", 10);
    return hadoop;
  }

  private Outcome start(String run, int ranks, int change, String file, int deadly)
      throws Exception {
    List<String> command =
        LoggedProcess.java(
            List.of("-Xmx256m", "-XX:TieredStopAtLevel=1"),
            Child.class,
            List.of(data(), root + "/" + run, String.valueOf(ranks), String.valueOf(change), file));
    Process process =
        new ProcessBuilder(command).redirectError(folder.resolve(run + ".log").toFile()).start();
    List<Integer> steps = new ArrayList<>();
    int committed = 0;
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      boolean dies = false;
      for (String line = lines.readLine(); line != null && !dies; line = lines.readLine()) {
        String[] said = line.split(" ");
        int step = Integer.parseInt(said[1]);
        if (said[0].equals(COMMITTED)) {
          committed = step;
        } else {
          steps.add(step);
          dies = step >= deadly;
        }
      }
      if (dies) {
        process.destroyForcibly();
      }
    }
    return new Outcome(process.waitFor(), steps, committed);
  }

  private String log(String run) {
    try {
      return Files.readString(folder.resolve(run + ".log"));
    } catch (IOException unreadable) {
      return unreadable.toString();
    }
  }

  /** Trains and prints each step when it is done, and each checkpoint. */
  static final class Child {
    private Child() {}

    /** What ends the process counts the ranks' changes of files, and what puts them in place. */
    public static void main(String[] arguments) throws Exception {
      var path = new org.apache.hadoop.fs.Path(URI.create(arguments[1]));
      FileSystem files = new RunFolder(path.getFileSystem(hadoop()), path).fileSystem();
      int ranks = Integer.parseInt(arguments[2]);
      int change = Integer.parseInt(arguments[3]);
      if (files instanceof DyingObjectStore store) {
        train(arguments[0], store.endingTheProcess(change), path, ranks);
      } else {
        DyingFileSystem dying = DyingFileSystem.endingTheProcess(files, change, arguments[4]);
        train(arguments[0], dying, path, ranks);
      }
    }

    private static <F extends FileSystem & CountedChanges> void train(
        String data, F dying, org.apache.hadoop.fs.Path path, int ranks) throws Exception {
      TrainingListener listener =
          new TrainingListener() {
            @Override
            public void onStep(StepMetrics metrics) {
              System.out.println(DONE + " " + metrics.step());
            }

            @Override
            public void onCheckpoint(int step, String path) {
              System.out.println(COMMITTED + " " + step);
            }

            @Override
            public void beforeCommit() throws IOException {
              dying.beforeCommit();
            }
          };
      train(data, new RunFolder(dying, path), ranks, listener);
    }

    static RunConfiguration configuration() {
      TrainingConfiguration training =
          TinyRun.training().steps(STEPS).checkpointInterval(3).logInterval(1).build();
      return TinyRun.configuration(training, 0.1);
    }

    static void train(String data, RunFolder output, int ranks, TrainingListener listener)
        throws Exception {
      try (TokenDataset dataset = TokenDataset.open(new Configuration(false), data)) {
        TinyRun.train(new TrainingRun(configuration(), dataset, output, true), ranks, listener);
      }
    }
  }
}
