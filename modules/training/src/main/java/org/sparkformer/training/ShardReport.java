package org.sparkformer.training;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.sparkformer.collective.Collective;

/**
 * What a rank tells rank 0 of its files of a checkpoint, which is committed when all ranks have
 * reported theirs.
 *
 * @param step of the checkpoint
 * @param files as they were written
 * @param failure why there are none; null where all went well
 */
record ShardReport(int step, List<CheckpointManifest.Entry> files, String failure) {
  /** Room for the other fields of a failure. */
  private static final int LONGEST_FAILURE = Collective.LARGEST_NOTE / 8;

  ShardReport {
    files = List.copyOf(files);
  }

  static ShardReport written(int step, List<CheckpointManifest.Entry> files) {
    return new ShardReport(step, files, null);
  }

  static ShardReport failed(int step, Throwable cause) {
    String text = String.valueOf(cause.getMessage());
    return new ShardReport(
        step, List.of(), text.substring(0, Math.min(text.length(), LONGEST_FAILURE)));
  }

  byte[] bytes() throws IOException {
    return Json.line(this).getBytes(StandardCharsets.UTF_8);
  }

  static ShardReport of(byte[] bytes) throws IOException {
    return Json.read(bytes, ShardReport.class);
  }
}
