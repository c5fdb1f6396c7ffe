package org.sparkformer.data;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * A dataset's folder while it is built: cleared first, a dataset when its manifest is written, last
 * and by rename.
 */
public final class DatasetWriter {
  private static final Pattern OWN_FILES =
      Pattern.compile("(train|validation)-\\d+\\.(bin|idx)|\\..*\\.tmp");

  private final FileSystem fileSystem;
  private final Path folder;

  private DatasetWriter(FileSystem fileSystem, Path folder) {
    this.fileSystem = fileSystem;
    this.folder = folder;
  }

  /**
   * Makes the folder, or clears it of what an unfinished build left.
   *
   * @param overwrite whether to remove a dataset that stands there
   * @throws IllegalArgumentException if one does and is not to be removed
   */
  public static DatasetWriter create(Configuration configuration, String uri, boolean overwrite)
      throws IOException {
    requireFree(configuration, uri, overwrite);
    Path folder = new Path(uri);
    DatasetWriter writer = new DatasetWriter(HadoopFiles.of(folder, configuration), folder);
    writer.fileSystem.delete(new Path(folder, DatasetManifest.FILE_NAME), false);
    writer.fileSystem.mkdirs(folder);
    writer.delete(OWN_FILES);
    return writer;
  }

  /**
   * Sees, before a tokenizer is learned, that a dataset may be built there.
   *
   * @param overwrite whether one that stands there may be removed
   * @throws IllegalArgumentException if one stands there that may not, or a file
   */
  public static void requireFree(Configuration configuration, String uri, boolean overwrite)
      throws IOException {
    Path folder = new Path(uri);
    FileSystem fileSystem = HadoopFiles.of(folder, configuration);
    if (fileSystem.exists(folder) && !fileSystem.getFileStatus(folder).isDirectory()) {
      throw new IllegalArgumentException(
          "%s is a file, but a dataset is a folder; choose another".formatted(uri));
    }
    if (!overwrite && fileSystem.exists(new Path(folder, DatasetManifest.FILE_NAME))) {
      throw new IllegalArgumentException(
          "%s already holds a dataset; choose another folder, or ask to overwrite it"
              .formatted(uri));
    }
  }

  private void delete(Pattern names) throws IOException {
    for (FileStatus status : fileSystem.listStatus(folder)) {
      if (status.isFile() && names.matcher(status.getPath().getName()).matches()) {
        fileSystem.delete(status.getPath(), false);
      }
    }
  }

  /** Writes tokenizer and manifest: from here on the folder is a dataset. */
  public DatasetManifest commit(Tokenizer tokenizer, List<EncodedSlice> slices, SliceCounts total)
      throws IOException {
    byte[] json = tokenizer.toJson().getBytes(StandardCharsets.UTF_8);
    WholeFile.write(fileSystem, new Path(folder, DatasetManifest.TOKENIZER_FILE_NAME), json);
    CRC32C checksum = new CRC32C();
    checksum.update(json);
    DatasetManifest manifest =
        new DatasetManifest(
            DatasetManifest.FORMAT,
            DatasetManifest.VERSION,
            new DatasetFile(
                DatasetManifest.TOKENIZER_FILE_NAME,
                json.length,
                DatasetFiles.hexadecimal(checksum)),
            tokenizer.digest(),
            tokenizer.vocabularySize(),
            DatasetManifest.tokenBytes(tokenizer.vocabularySize()),
            total.replacedCharacters(),
            total.emptyDocuments(),
            split(slices, Split.TRAIN),
            split(slices, Split.VALIDATION));
    delete(Pattern.compile("\\..*\\.tmp"));
    WholeFile.write(
        fileSystem,
        new Path(folder, DatasetManifest.FILE_NAME),
        manifest.toJson().getBytes(StandardCharsets.UTF_8));
    return manifest;
  }

  private static SplitManifest split(List<EncodedSlice> slices, Split split) {
    List<EncodedSlice.EncodedSplit> parts =
        slices.stream()
            .sorted(Comparator.comparingInt(EncodedSlice::index))
            .filter(slice -> slice.splits().containsKey(split))
            .map(slice -> slice.splits().get(split))
            .filter(part -> part.shard().tokenCount() > 0)
            .toList();
    return new SplitManifest(
        parts.stream().mapToLong(part -> part.shard().tokenCount()).sum(),
        parts.stream().mapToLong(part -> part.shard().documentCount()).sum(),
        parts.stream().mapToLong(EncodedSlice.EncodedSplit::textBytes).sum(),
        parts.stream().map(EncodedSlice.EncodedSplit::shard).toList());
  }
}
