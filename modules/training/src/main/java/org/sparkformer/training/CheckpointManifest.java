package org.sparkformer.training;

import java.util.List;
import java.util.regex.Pattern;

/**
 * The {@code manifest.json} of a checkpoint, written last: a folder without it is no checkpoint.
 *
 * @param step optimizer steps done
 * @param files all other files of the folder
 */
public record CheckpointManifest(String format, int version, int step, List<Entry> files) {
  public static final String FILE_NAME = "manifest.json";

  private static final String FORMAT = "sparkformer-checkpoint";
  private static final int VERSION = 1;

  /**
   * A file as it was written.
   *
   * @param crc32c of all its bytes, in hexadecimal
   */
  public record Entry(String name, long bytes, String crc32c) {
    private static final Pattern PLAIN_NAME = Pattern.compile("\\w[\\w.-]*");

    /**
     * @throws IllegalArgumentException for a name that would lead out of the folder
     */
    public Entry {
      if (name == null || !PLAIN_NAME.matcher(name).matches()) {
        throw new IllegalArgumentException("'" + name + "' is no plain file name");
      }
    }
  }

  public CheckpointManifest {
    files = List.copyOf(files);
  }

  static CheckpointManifest of(int step, List<Entry> files) {
    return new CheckpointManifest(FORMAT, VERSION, step, files);
  }

  boolean isOf(int expectedStep) {
    return FORMAT.equals(format) && version == VERSION && step == expectedStep;
  }
}
