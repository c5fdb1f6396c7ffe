package org.sparkformer.data;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;

/** Lists the files of a corpus in an order that depends on nothing but their names. */
public final class CorpusFiles {
  private final Configuration configuration;
  private final Corpus corpus;
  private final CompressionCodecFactory codecs;

  /** By path, so that a file that two inputs name is read once, where the first names it. */
  private final Map<String, CorpusFile> files = new LinkedHashMap<>();

  private CorpusFiles(Configuration configuration, Corpus corpus) {
    this.configuration = configuration;
    this.corpus = corpus;
    this.codecs = new CompressionCodecFactory(configuration);
  }

  /**
   * The files that the inputs name: inputs in their order, the files of each by path. Names that
   * start with {@code .} or {@code _} are left out of folders and globs, as Hadoop does.
   *
   * @throws FileNotFoundException if an input matches nothing
   */
  public static List<CorpusFile> list(Configuration configuration, Corpus corpus)
      throws IOException {
    CorpusFiles listing = new CorpusFiles(configuration, corpus);
    for (String input : corpus.inputs()) {
      listing.add(input);
    }
    return List.copyOf(listing.files.values());
  }

  private void add(String input) throws IOException {
    Path pattern = new Path(input);
    FileSystem fileSystem = HadoopFiles.of(pattern, configuration);
    FileStatus[] matches = matches(fileSystem, pattern);
    if (matches.length == 0) {
      throw new FileNotFoundException(
          "no input matches %s on %s; check the path and that it can be read"
              .formatted(input, fileSystem.getUri()));
    }
    List<FileStatus> found = new ArrayList<>();
    for (FileStatus match : matches) {
      collect(fileSystem, match, found);
    }
    found.sort(Comparator.comparing(status -> status.getPath().toString()));
    for (FileStatus status : found) {
      files.putIfAbsent(status.getPath().toString(), describe(status));
    }
  }

  /** A name that exists is taken as it is, even if it looks like a glob. */
  private static FileStatus[] matches(FileSystem fileSystem, Path pattern) throws IOException {
    if (fileSystem.exists(pattern)) {
      return new FileStatus[] {fileSystem.getFileStatus(pattern)};
    }
    FileStatus[] matches = fileSystem.globStatus(pattern, CorpusFiles::isVisible);
    return matches == null ? new FileStatus[0] : matches;
  }

  private static boolean isVisible(Path path) {
    return !path.getName().startsWith(".") && !path.getName().startsWith("_");
  }

  private static void collect(FileSystem fileSystem, FileStatus status, List<FileStatus> found)
      throws IOException {
    if (!status.isDirectory()) {
      found.add(status);
      return;
    }
    for (FileStatus child : fileSystem.listStatus(status.getPath(), CorpusFiles::isVisible)) {
      collect(fileSystem, child, found);
    }
  }

  private CorpusFile describe(FileStatus status) {
    Path path = status.getPath();
    CompressionCodec codec = codecs.getCodec(path);
    InputFormat format = format(path, codec);
    boolean splittable = format != InputFormat.TEXT && codec == null;
    return new CorpusFile(path.toString(), status.getLen(), format, splittable);
  }

  private InputFormat format(Path path, CompressionCodec codec) {
    if (corpus.format() != InputFormat.AUTO) {
      return corpus.format();
    }
    String name = path.getName().toLowerCase(Locale.ROOT);
    if (codec != null && name.endsWith(codec.getDefaultExtension())) {
      name = name.substring(0, name.length() - codec.getDefaultExtension().length());
    }
    if (name.endsWith(".json")) {
      throw new IllegalArgumentException(
          "%s: .json does not say whether it holds JSON lines; give the format (jsonl or text)"
              .formatted(path));
    }
    if (name.endsWith(".jsonl") || name.endsWith(".ndjson")) {
      return InputFormat.JSONL;
    }
    return name.endsWith(".parquet") ? InputFormat.PARQUET : InputFormat.TEXT;
  }
}
