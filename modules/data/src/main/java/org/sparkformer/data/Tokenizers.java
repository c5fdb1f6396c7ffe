package org.sparkformer.data;

import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Finds tokenizers by name and reads them from {@code tokenizer.json}. */
public final class Tokenizers {
  /** GPT-2's own vocabulary of 50,257 tokens. */
  public static final String GPT2 = "gpt2";

  private Tokenizers() {}

  /**
   * A published vocabulary.
   *
   * @throws IllegalArgumentException for an unknown name
   */
  public static Tokenizer named(String name) {
    if (!GPT2.equals(name)) {
      throw new IllegalArgumentException(
          "no tokenizer is named '%s'; known: %s; or give the path of a tokenizer.json"
              .formatted(name, GPT2));
    }
    return Gpt2Vocabulary.tokenizer();
  }

  /**
   * Reads a {@code tokenizer.json}.
   *
   * @param path the file, or a folder that holds {@code tokenizer.json} or a dataset, on any Hadoop
   *     file system
   * @throws FileNotFoundException if it does not exist
   * @throws IllegalArgumentException if it is not a tokenizer that this library encodes exactly
   */
  public static Tokenizer load(Configuration configuration, String path) throws IOException {
    Path file = new Path(path);
    FileSystem fileSystem = HadoopFiles.of(file, configuration);
    if (!fileSystem.exists(file)) {
      throw new FileNotFoundException(
          "no tokenizer at %s: expected a tokenizer.json of the Hugging Face tokenizers library"
              .formatted(path));
    }
    if (fileSystem.getFileStatus(file).isDirectory()) {
      file = within(fileSystem, file);
    }
    try (InputStream stream = fileSystem.open(file)) {
      return parse(new String(stream.readAllBytes(), StandardCharsets.UTF_8), file.toString());
    }
  }

  /** A dataset that took another's place may have given it a name of its own. */
  private static Path within(FileSystem fileSystem, Path folder) throws IOException {
    DatasetFiles files = new DatasetFiles(fileSystem, folder);
    try {
      return files.path(files.readManifest().tokenizer());
    } catch (FileNotFoundException | CorruptDatasetException none) {
      return new Path(folder, DatasetManifest.TOKENIZER_FILE_NAME);
    }
  }

  /**
   * Sees, before a tokenizer is learned, that it can be kept there; makes the folder.
   *
   * @throws IllegalArgumentException if a folder stands there, or a device
   */
  public static void prepare(Configuration configuration, String path) throws IOException {
    Path file = new Path(path);
    FileSystem fileSystem = HadoopFiles.of(file, configuration);
    if (fileSystem.exists(file) && !isFile(fileSystem, file)) {
      throw new IllegalArgumentException(
          "%s is not a file: name the one to write, such as tokenizer.json".formatted(path));
    }
    fileSystem.mkdirs(file.getParent());
  }

  /** To Hadoop a local device is a file. */
  private static boolean isFile(FileSystem fileSystem, Path file) throws IOException {
    URI uri = fileSystem.makeQualified(file).toUri();
    return "file".equals(uri.getScheme())
        ? new File(uri).isFile()
        : fileSystem.getFileStatus(file).isFile();
  }

  /** Writes a tokenizer's {@code tokenizer.json}, in place of what stands there. */
  public static void save(Configuration configuration, Tokenizer tokenizer, String path)
      throws IOException {
    Path file = new Path(path);
    WholeFile.write(
        HadoopFiles.of(file, configuration),
        file,
        tokenizer.toJson().getBytes(StandardCharsets.UTF_8));
  }

  /**
   * The tokenizer that a {@code tokenizer.json} describes.
   *
   * @param source where the JSON comes from, for messages
   * @throws IllegalArgumentException if it is not a tokenizer that this library encodes exactly
   */
  public static Tokenizer parse(String json, String source) {
    return TokenizerJson.read(json, source);
  }
}
