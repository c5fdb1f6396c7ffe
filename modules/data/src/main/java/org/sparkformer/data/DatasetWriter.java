package org.sparkformer.data;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * A dataset's folder while it is built: a dataset when its manifest is written, last and by one
 * atomic operation. One that stands there is whole until then: the files of the new one have other
 * names.
 */
public final class DatasetWriter {
  private static final Pattern OWN_FILES =
      Pattern.compile(
          "(?:train|validation)-\\d+(?:\\.(\\d{1,9}))?\\.(?:bin|idx)|tokenizer(?:\\.(\\d{1,9}))?\\.json|\\..*\\.tmp");

  private final FileSystem fileSystem;
  private final Path folder;
  private final Optional<DatasetManifest> old;

  private DatasetWriter(FileSystem fileSystem, Path folder, Optional<DatasetManifest> old) {
    this.fileSystem = fileSystem;
    this.folder = folder;
    this.old = old;
  }

  /**
   * Makes the folder, or clears it of what an unfinished build left.
   *
   * @param overwrite whether to replace a dataset that stands there
   * @throws IllegalArgumentException if one does and is not to be replaced
   */
  public static DatasetWriter create(Configuration configuration, String uri, boolean overwrite)
      throws IOException {
    requireFree(configuration, uri, overwrite);
    Path folder = new Path(uri);
    return create(HadoopFiles.of(folder, configuration), folder);
  }

  static DatasetWriter create(FileSystem fileSystem, Path folder) throws IOException {
    Optional<DatasetManifest> old = standing(fileSystem, folder);
    if (old.isEmpty()) {
      fileSystem.delete(new Path(folder, DatasetManifest.FILE_NAME), false);
    }
    fileSystem.mkdirs(folder);
    DatasetWriter writer = new DatasetWriter(fileSystem, folder, old);
    Set<String> kept = new HashSet<>(old.map(DatasetWriter::names).orElse(Set.of()));
    // A tokenizer may have been put there to be taken.
    kept.add(DatasetManifest.TOKENIZER_FILE_NAME);
    writer.deleteAllBut(kept);
    return writer;
  }

  /** Empty also where a manifest is damaged. */
  private static Optional<DatasetManifest> standing(FileSystem fileSystem, Path folder)
      throws IOException {
    try {
      return Optional.of(new DatasetFiles(fileSystem, folder).readManifest());
    } catch (FileNotFoundException | CorruptDatasetException none) {
      return Optional.empty();
    }
  }

  /**
   * What the names of this build's files end with, before what kind they are of: nothing, or the
   * number of a build that replaces another, as in {@code train-00000.2.bin}.
   */
  public String suffix() {
    return old.map(manifest -> "." + (1 + build(names(manifest)))).orElse("");
  }

  private static int build(Set<String> names) {
    return names.stream()
        .map(OWN_FILES::matcher)
        .filter(Matcher::matches)
        .flatMap(matcher -> Stream.of(matcher.group(1), matcher.group(2)))
        .filter(Objects::nonNull)
        .mapToInt(Integer::parseInt)
        .max()
        .orElse(1);
  }

  private static Set<String> names(DatasetManifest manifest) {
    Set<String> names = new HashSet<>(Set.of(manifest.tokenizer().name()));
    for (Split split : Split.values()) {
      for (Shard shard : manifest.split(split).shards()) {
        names.add(shard.tokens().name());
        names.add(shard.documents().name());
      }
    }
    return names;
  }

  /**
   * Sees, before a tokenizer is learned, that a dataset may be built there.
   *
   * @param overwrite whether one that stands there may be replaced
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

  /** Of builds, whole and unfinished. */
  private void deleteAllBut(Set<String> names) throws IOException {
    for (FileStatus status : list()) {
      String name = status.getPath().getName();
      if (status.isFile() && OWN_FILES.matcher(name).matches() && !names.contains(name)) {
        fileSystem.delete(status.getPath(), false);
      }
    }
  }

  /** Object stores have no empty folders. */
  private FileStatus[] list() throws IOException {
    try {
      return fileSystem.listStatus(folder);
    } catch (FileNotFoundException none) {
      return new FileStatus[0];
    }
  }

  /**
   * Writes tokenizer and manifest: from here on the folder is this dataset. What it replaces is
   * removed then.
   */
  public DatasetManifest commit(Tokenizer tokenizer, List<EncodedSlice> slices, SliceCounts total)
      throws IOException {
    byte[] json = tokenizer.toJson().getBytes(StandardCharsets.UTF_8);
    DatasetFile saved = tokenizer(json);
    if (!holds(saved.name(), json)) {
      WholeFile.write(fileSystem, new Path(folder, saved.name()), json);
    }
    DatasetManifest manifest =
        new DatasetManifest(
            DatasetManifest.FORMAT,
            DatasetManifest.VERSION,
            saved,
            tokenizer.digest(),
            tokenizer.vocabularySize(),
            DatasetManifest.tokenBytes(tokenizer.vocabularySize()),
            total.replacedCharacters(),
            total.emptyDocuments(),
            split(slices, Split.TRAIN),
            split(slices, Split.VALIDATION));
    WholeFile.write(
        fileSystem,
        new Path(folder, DatasetManifest.FILE_NAME),
        manifest.toJson().getBytes(StandardCharsets.UTF_8));
    deleteAllBut(names(manifest));
    return manifest;
  }

  /** Whether a file is there already: that of the dataset that stands there is not touched. */
  private boolean holds(String name, byte[] content) {
    try (InputStream stream = fileSystem.open(new Path(folder, name))) {
      return Arrays.equals(content, stream.readAllBytes());
    } catch (IOException unreadable) {
      return false;
    }
  }

  /** Under its old name where it stays the same, so that it is found there. */
  private DatasetFile tokenizer(byte[] json) {
    CRC32C checksum = new CRC32C();
    checksum.update(json);
    String crc32c = DatasetFiles.hexadecimal(checksum);
    String name =
        old.map(DatasetManifest::tokenizer)
            .filter(before -> before.bytes() == json.length && before.crc32c().equals(crc32c))
            .map(DatasetFile::name)
            .orElse("tokenizer%s.json".formatted(suffix()));
    return new DatasetFile(name, json.length, crc32c);
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
