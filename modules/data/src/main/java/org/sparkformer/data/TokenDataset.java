package org.sparkformer.data;

import java.io.IOException;
import java.util.EnumMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * A tokenized corpus, opened for reading by position. Safe for many threads; local shards are
 * mapped into memory, remote ones read through a block cache of 64 MiB.
 */
public final class TokenDataset implements AutoCloseable {

  /**
   * What opening checks: every byte of every file, or only that each file has its size (for peers
   * of one that did).
   */
  public enum Verification {
    CHECKSUMS,
    SIZES
  }

  private final String uri;
  private final DatasetManifest manifest;
  private final Tokenizer tokenizer;
  private final Map<Split, SplitTokens> splits;

  private TokenDataset(
      String uri, DatasetManifest manifest, Tokenizer tokenizer, Map<Split, SplitTokens> splits) {
    this.uri = uri;
    this.manifest = manifest;
    this.tokenizer = tokenizer;
    this.splits = splits;
  }

  /** Opens a dataset and verifies every byte of it. */
  public static TokenDataset open(Configuration configuration, String uri) throws IOException {
    return open(configuration, uri, Verification.CHECKSUMS);
  }

  /**
   * Opens a dataset.
   *
   * @param uri its folder on any Hadoop file system
   * @throws java.io.FileNotFoundException if the folder has no manifest
   * @throws CorruptDatasetException if a file is missing or is not what the manifest says
   */
  public static TokenDataset open(
      Configuration configuration, String uri, Verification verification) throws IOException {
    Path folder = new Path(uri);
    FileSystem fileSystem = HadoopFiles.of(folder, configuration);
    DatasetFiles files = new DatasetFiles(fileSystem, folder);
    DatasetManifest manifest = files.readManifest();
    verify(files, manifest, verification);
    Tokenizer tokenizer = readTokenizer(files, manifest);
    Map<Split, SplitTokens> splits = new EnumMap<>(Split.class);
    for (Split split : Split.values()) {
      splits.put(split, SplitTokens.open(fileSystem, files, manifest, split));
    }
    return new TokenDataset(uri, manifest, tokenizer, splits);
  }

  private static void verify(
      DatasetFiles files, DatasetManifest manifest, Verification verification) throws IOException {
    verify(files, manifest.tokenizer(), Verification.CHECKSUMS);
    for (Split split : Split.values()) {
      files.verifyCounts(manifest, split);
      for (Shard shard : manifest.split(split).shards()) {
        verify(files, shard.tokens(), verification);
        verify(files, shard.documents(), verification);
      }
    }
  }

  private static void verify(DatasetFiles files, DatasetFile file, Verification verification)
      throws IOException {
    files.verifySize(file);
    if (verification == Verification.CHECKSUMS) {
      files.verifyChecksum(file);
    }
  }

  private static Tokenizer readTokenizer(DatasetFiles files, DatasetManifest manifest)
      throws IOException {
    Path path = files.path(manifest.tokenizer());
    Tokenizer tokenizer = Tokenizers.parse(files.readText(path), path.toString());
    if (!tokenizer.digest().equals(manifest.tokenizerDigest())) {
      throw new CorruptDatasetException(
          path.toString(), "digest " + manifest.tokenizerDigest(), "digest " + tokenizer.digest());
    }
    // Which tokens there may be in shards is the manifest's to say.
    if (tokenizer.vocabularySize() != manifest.vocabularySize()) {
      throw new CorruptDatasetException(
          DatasetManifest.FILE_NAME,
          "the tokenizer's %,d tokens".formatted(tokenizer.vocabularySize()),
          "%,d".formatted(manifest.vocabularySize()));
    }
    return tokenizer;
  }

  /** The folder, as given. */
  public String uri() {
    return uri;
  }

  public DatasetManifest manifest() {
    return manifest;
  }

  public long tokens(Split split) {
    return manifest.split(split).tokens();
  }

  /** UTF-8 bytes of the split's text, for bits per byte. */
  public long textBytes(Split split) {
    return manifest.split(split).textBytes();
  }

  public int vocabularySize() {
    return manifest.vocabularySize();
  }

  public String tokenizerDigest() {
    return manifest.tokenizerDigest();
  }

  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /**
   * Refuses a tokenizer (of a checkpoint, or named in a configuration) with which this dataset was
   * not built.
   *
   * @param source where the other tokenizer comes from, for the message
   * @throws IllegalArgumentException if the two differ
   */
  public void requireTokenizer(Tokenizer other, String source) {
    if (!other.digest().equals(tokenizerDigest())) {
      throw new IllegalArgumentException(
          "the dataset %s was built with another tokenizer (%,d tokens, digest %.12s) than %s (%,d tokens, digest %.12s); "
                  .formatted(
                      uri,
                      vocabularySize(),
                      tokenizerDigest(),
                      source,
                      other.vocabularySize(),
                      other.digest())
              + "build the dataset with that tokenizer, or use the dataset's own, "
              + manifest.tokenizer().name());
    }
  }

  /**
   * Reads {@code length} tokens from {@code position} on into {@code destination[offset ..]}.
   *
   * @throws IndexOutOfBoundsException if they do not lie within the split
   */
  public void read(Split split, long position, int[] destination, int offset, int length)
      throws IOException {
    splits.get(split).read(position, destination, offset, length);
  }

  @Override
  public void close() throws IOException {
    for (SplitTokens split : splits.values()) {
      split.close();
    }
  }
}
