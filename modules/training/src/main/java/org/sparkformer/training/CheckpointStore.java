package org.sparkformer.training;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.FileStatus;

/**
 * The checkpoints of a run, {@code checkpoints/step-00000250/} and so on. A checkpoint exists when
 * its manifest does: the manifest is written last, by one atomic operation ({@link FileCommit}),
 * and removed first when the checkpoint goes. Has one writer, rank 0.
 */
public final class CheckpointStore {
  /** File of a checkpoint with the run's resolved configuration. */
  public static final String CONFIGURATION = "configuration.json";

  /** Knows whether the store is still this process's to write. */
  @FunctionalInterface
  public interface Guard {
    /** The only one there is. */
    Guard SOLE = () -> {};

    /**
     * @throws IOException if another has taken over
     */
    void requireOwner() throws IOException;
  }

  private static final Pattern NAME = Pattern.compile("step-(\\d{8,9})");

  private final RunFolder folder;
  private final int keep;
  private final int reach;

  /** As below, with no reach. */
  public CheckpointStore(RunFolder run, int keep) {
    this(run, keep, 0);
  }

  /**
   * @param keep how many of the newest checkpoints stay, at least 1
   * @param reach the newest of those that are so many steps older than the newest stays too, for
   *     intervals may be shorter than usual where a run was told to stop; 0 for none
   */
  CheckpointStore(RunFolder run, int keep, int reach) {
    this.folder = run.folder("checkpoints");
    this.keep = keep;
    this.reach = reach;
  }

  /** The folder of a step's checkpoint. */
  public RunFolder folder(int step) {
    return folder.folder(name(step));
  }

  private static String name(int step) {
    return "step-%08d".formatted(step);
  }

  /** Steps of the committed checkpoints, ascending; whether they are whole is not known. */
  public List<Integer> steps() throws IOException {
    return found(true);
  }

  private List<Integer> found(boolean committed) throws IOException {
    List<Integer> steps = new ArrayList<>();
    for (FileStatus status : folder.list()) {
      Matcher matcher = NAME.matcher(status.getPath().getName());
      if (status.isDirectory() && matcher.matches()) {
        int step = Integer.parseInt(matcher.group(1));
        if (folder(step).exists(CheckpointManifest.FILE_NAME) == committed) {
          steps.add(step);
        }
      }
    }
    return steps.stream().sorted().toList();
  }

  /**
   * Writes a checkpoint, commits it, reads every byte of it back, and only then removes the ones
   * that are no longer to be kept.
   *
   * @param guard asked before anything is removed or created, and at the commit
   */
  public void write(int step, List<CheckpointFile> files, Guard guard) throws IOException {
    begin(step, guard);
    commit(step, writeFiles(step, files, guard), guard);
  }

  /**
   * Makes room for a step's checkpoint; what there was of it is gone. Looks before it asks: where
   * there is nothing to remove yet, nothing of a newer attempt's can be removed a moment later.
   */
  void begin(int step, Guard guard) throws IOException {
    boolean isThere = folder.exists(name(step));
    guard.requireOwner();
    if (isThere) {
      remove(step);
    }
  }

  /**
   * Writes files of a checkpoint that is yet to be committed; several writers may do so at once.
   *
   * <p>Each is put in place as the manifest is, where there is none yet: a writer whose attempt is
   * over, and that wakes up between the guard's answer and its file, neither replaces nor cuts
   * short what a newer one has written under that name.
   *
   * @param guard asked before each file is begun, and when it is put in place
   * @throws IOException if another writer has put a file of that name there
   */
  List<CheckpointManifest.Entry> writeFiles(int step, List<CheckpointFile> files, Guard guard)
      throws IOException {
    List<CheckpointManifest.Entry> entries = new ArrayList<>();
    for (CheckpointFile file : files) {
      guard.requireOwner();
      entries.add(write(folder(step), file, guard));
    }
    return entries;
  }

  /** Commits a checkpoint of files that are written: the end of {@link #write}. */
  void commit(int step, List<CheckpointManifest.Entry> entries, Guard guard) throws IOException {
    byte[] manifest = Json.pretty(CheckpointManifest.of(step, entries));
    folder(step).commit(CheckpointManifest.FILE_NAME, manifest, guard);
    verify(step);
    prune(step, guard);
  }

  private static CheckpointManifest.Entry write(RunFolder folder, CheckpointFile file, Guard guard)
      throws IOException {
    Tally tally = new Tally();
    folder.commit(file.name(), stream -> file.content().writeTo(tally.of(stream)), guard);
    return new CheckpointManifest.Entry(file.name(), tally.bytes(), tally.crc32c());
  }

  /**
   * Removes what is older than the newest {@code keep} up to a verified step, but for the one
   * within reach, and what is newer: checkpoints that were passed over because they were damaged.
   * One that lacks a file counts for nothing and goes: an object store may show the manifest of an
   * older attempt after its files were cleared away.
   *
   * @param guard asked before each
   */
  void prune(int verified, Guard guard) throws IOException {
    List<Integer> steps = steps();
    List<Integer> complete = new ArrayList<>();
    for (int step : steps) {
      if (saved(step).isComplete()) {
        complete.add(step);
      }
    }
    int last = complete.indexOf(verified);
    if (last < 0) {
      // An object store may be late in showing what was just committed: then nothing is certain.
      return;
    }
    int reached = newestWithinReach(complete, verified);
    for (int step : steps) {
      int index = complete.indexOf(step);
      boolean stays = index > last - keep && index <= last || index == reached;
      if (index < 0 || !stays) {
        guard.requireOwner();
        remove(step);
      }
    }
  }

  /** Its index; negative where there is none, or none is asked for. */
  private int newestWithinReach(List<Integer> steps, int verified) {
    return reach == 0
        ? -1
        : (int) steps.stream().filter(step -> step <= verified - reach).count() - 1;
  }

  private void remove(int step) throws IOException {
    RunFolder checkpoint = folder(step);
    folder.fileSystem().delete(checkpoint.resolve(CheckpointManifest.FILE_NAME), false);
    folder.fileSystem().delete(checkpoint.path(), true);
  }

  /**
   * Removes what interrupted writes have left.
   *
   * @param guard asked before each
   */
  public void removeLeftovers(Guard guard) throws IOException {
    for (int step : found(false)) {
      guard.requireOwner();
      remove(step);
    }
  }

  /**
   * The newest checkpoint of which every byte is as it was written; empty where none is committed.
   *
   * @param messages told which checkpoints were passed over, and why
   * @throws CorruptCheckpointException if there are checkpoints and none is whole
   */
  public OptionalInt newestWhole(Consumer<String> messages) throws IOException {
    return newestWhole(steps(), messages);
  }

  /** The newest whole checkpoint of a step before {@code limit}; else as the one of all. */
  OptionalInt newestWholeBefore(int limit, Consumer<String> messages) throws IOException {
    return newestWhole(steps().stream().filter(step -> step < limit).toList(), messages);
  }

  private OptionalInt newestWhole(List<Integer> steps, Consumer<String> messages)
      throws IOException {
    for (int i = steps.size() - 1; i >= 0; i--) {
      try {
        verify(steps.get(i));
        return OptionalInt.of(steps.get(i));
      } catch (CorruptCheckpointException damaged) {
        messages.accept("passing over a damaged checkpoint: " + damaged.getMessage());
      }
    }
    if (!steps.isEmpty()) {
      throw new CorruptCheckpointException(
          "none of the %d checkpoints in %s is whole; remove that folder to start over"
              .formatted(steps.size(), folder.path()));
    }
    return OptionalInt.empty();
  }

  /**
   * Compares every byte of a checkpoint with its manifest.
   *
   * @throws CorruptCheckpointException naming the file that differs
   */
  public void verify(int step) throws IOException {
    saved(step).verify();
  }

  /** Names of a checkpoint's files. */
  List<String> files(int step) throws IOException {
    return saved(step).manifest().files().stream().map(CheckpointManifest.Entry::name).toList();
  }

  private SavedCheckpoint saved(int step) {
    return new SavedCheckpoint(folder(step), step);
  }
}
