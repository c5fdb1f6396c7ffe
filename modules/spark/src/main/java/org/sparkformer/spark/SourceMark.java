package org.sparkformer.spark;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.sparkformer.data.DatasetManifest;
import org.sparkformer.training.RunFolder;

/**
 * What a dataset in a run's folder was built from: the file {@value #FILE_NAME} beside it, written
 * after its manifest and removed before it is replaced.
 *
 * @param stamp of the files' names, sizes and times, which are known without reading them
 * @param content of the files' names and bytes; empty in the marks of earlier versions
 */
record SourceMark(String stamp, String content) {
  static final String FILE_NAME = "source.sha256";

  /** The mark of a whole dataset; empty where there is none. */
  static Optional<SourceMark> in(RunFolder dataset) throws IOException {
    Optional<byte[]> text =
        dataset.exists(DatasetManifest.FILE_NAME) ? dataset.read(FILE_NAME) : Optional.empty();
    return text.map(bytes -> parse(new String(bytes, StandardCharsets.UTF_8)));
  }

  private static SourceMark parse(String text) {
    String[] lines = text.split("\n", 2);
    return new SourceMark(lines[0], lines.length < 2 ? "" : lines[1].strip());
  }

  void write(RunFolder dataset) throws IOException {
    byte[] text = (stamp + "\n" + content + "\n").getBytes(StandardCharsets.UTF_8);
    dataset.replace(FILE_NAME, text);
  }
}
