package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FileUtil;
import org.apache.hadoop.fs.Path;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.testkit.CountedChanges;
import org.sparkformer.training.CheckpointFaults.Faulty;
import org.sparkformer.training.configuration.RunConfiguration;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** A run that goes on from a checkpoint, with a fault at each operation of that in turn. */
final class RestoreFaults {
  private static final TrainingConfiguration TRAINING =
      TinyRun.training().steps(5).checkpointInterval(2).logInterval(1).evalInterval(0).build();
  private static final RunConfiguration CONFIGURATION = TinyRun.configuration(TRAINING, 0.1);
  private static final List<Integer> CHECKPOINTS = List.of(2, 4);
  private static final int NEWEST = 4;

  private final TokenDataset dataset;
  private final FileSystem whole;
  private final Path folder;
  private final int ranks;
  private final String weights;

  /** In which folders were found: what is done with one of them again is known. */
  private final Set<Map<String, Integer>> states = new HashSet<>();

  private final Map<String, Integer> untouched;

  /** One that is as the stopped run was left, for as long as it is; empty where there is none. */
  private String copy = "";

  /** Trains the run that the others are compared with, and one that is stopped. */
  private RestoreFaults(TokenDataset dataset, FileSystem whole, Path folder, int ranks)
      throws Exception {
    this.dataset = dataset;
    this.whole = whole;
    this.folder = folder;
    this.ranks = ranks;
    this.weights = train(whole, "straight", TrainingListener.NONE);
    assertThrows(
        IllegalStateException.class, () -> train(whole, "stopped", TinyRuns.stoppingAfter(5)));
    leave("stopped");
    this.untouched = files("stopped");
  }

  /**
   * A restore that fails says at which file, takes nothing away, and is done by the same command
   * again: as one that nothing happens to.
   *
   * @param whole the same place without faults
   */
  static <F extends FileSystem & CountedChanges> void assertNothingIsLost(
      TokenDataset dataset, Faulty<F> faulty, FileSystem whole, Path folder, int ranks)
      throws Exception {
    RestoreFaults runs = new RestoreFaults(dataset, whole, folder, ranks);
    int operations = runs.operations(faulty.at(0));
    for (int fault = 1; fault <= operations; fault++) {
      runs.assertGoesOn(faulty.at(fault), "fault-" + fault);
    }
    assertTrue(operations > 3, "only " + operations);
  }

  /** Until training begins. */
  private <F extends FileSystem & CountedChanges> int operations(F counting) throws Exception {
    AtomicInteger operations = new AtomicInteger();
    copy("counted");
    train(
        counting,
        "counted",
        new TrainingListener() {
          @Override
          public void onStart(TrainingStart start) {
            operations.set(counting.changes());
          }
        });
    return operations.get();
  }

  private void assertGoesOn(FileSystem faulty, String fault) throws Exception {
    if (copy.isEmpty()) {
      copy = fault;
      copy(copy);
    }
    String run = copy;
    List<String> messages = new ArrayList<>();
    Exception failed =
        assertThrows(Exception.class, () -> train(faulty, run, TinyRuns.messages(messages)), fault);
    String place = new Path(folder, run).toUri().getPath() + "/";
    assertTrue(told(failed).contains(place), () -> fault + ": " + told(failed));
    List<String> resuming = List.of("resuming from " + store(run).folder(NEWEST).path());
    assertTrue(messages.isEmpty() || messages.equals(resuming), () -> fault + ": " + messages);
    assertEquals(CHECKPOINTS, store(run).steps(), fault);
    Map<String, Integer> left = files(run);
    boolean unknown = states.add(left);
    if (unknown) {
      List<String> again = new ArrayList<>();
      assertEquals(weights, train(whole, run, TinyRuns.messages(again)), fault);
      assertEquals(resuming, again, fault);
    }
    leave(run);
    if (!files(run).equals(untouched)) {
      copy = "";
    }
  }

  /** What a writer that was killed leaves. */
  private void leave(String run) throws IOException {
    RunFolder begun = store(run).folder(NEWEST + 1);
    if (!begun.exists("state.json")) {
      begun.commit("state.json", new byte[] {1, 2, 3});
    }
  }

  private Map<String, Integer> files(String run) throws IOException {
    Map<String, Integer> files = new TreeMap<>();
    collect(new Path(folder, run), "", files);
    return files;
  }

  /** Files by their paths, and hashes of what they hold. */
  private void collect(Path path, String prefix, Map<String, Integer> files) throws IOException {
    for (FileStatus status : whole.listStatus(path)) {
      String name = prefix + status.getPath().getName();
      if (status.isDirectory()) {
        collect(status.getPath(), name + "/", files);
      } else {
        try (InputStream stream = whole.open(status.getPath())) {
          files.put(name, Arrays.hashCode(stream.readAllBytes()));
        }
      }
    }
  }

  /** By the rank that failed, and those that failed with it. */
  private static String told(Throwable failed) {
    StringBuilder told = new StringBuilder(String.valueOf(failed.getMessage()));
    for (Throwable other : failed.getSuppressed()) {
      told.append('\n').append(other.getMessage());
    }
    return told.toString();
  }

  private void copy(String run) throws IOException {
    FileUtil.copy(
        whole,
        new Path(folder, "stopped"),
        whole,
        new Path(folder, run),
        false,
        new Configuration(false));
  }

  private CheckpointStore store(String run) {
    return new CheckpointStore(new RunFolder(whole, new Path(folder, run)), 2);
  }

  private String train(FileSystem files, String run, TrainingListener listener) throws Exception {
    RunFolder output = new RunFolder(files, new Path(folder, run));
    return TinyRun.train(new TrainingRun(CONFIGURATION, dataset, output, true), ranks, listener)
        .get(0)
        .weightsSha256();
  }
}
