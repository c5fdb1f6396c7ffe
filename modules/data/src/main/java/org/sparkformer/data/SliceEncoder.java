package org.sparkformer.data;

import java.io.IOException;
import java.util.EnumMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Tokenizes the documents of a slice into at most one shard a split. */
public final class SliceEncoder {
  private final FileSystem fileSystem;
  private final Path folder;
  private final String suffix;
  private final Tokenizer tokenizer;
  private final SplitPlan plan;

  /**
   * @param folder the dataset's, which exists
   * @param suffix of the build, {@link DatasetWriter#suffix}
   */
  public SliceEncoder(
      Configuration configuration,
      String folder,
      String suffix,
      Tokenizer tokenizer,
      SplitPlan plan)
      throws IOException {
    this(
        HadoopFiles.of(new Path(folder), configuration), new Path(folder), suffix, tokenizer, plan);
  }

  SliceEncoder(
      FileSystem fileSystem, Path folder, String suffix, Tokenizer tokenizer, SplitPlan plan) {
    this.fileSystem = fileSystem;
    this.folder = folder;
    this.suffix = suffix;
    this.tokenizer = tokenizer;
    this.plan = plan;
  }

  /**
   * Writes the shards of a slice.
   *
   * @param firstDocument the number, among the corpus's documents with text, of the slice's first
   * @param attempt distinguishes attempts at the same slice that may run at the same time
   */
  public EncodedSlice encode(int slice, long firstDocument, DocumentReader reader, String attempt)
      throws IOException {
    Map<Split, SplitEncoder> encoders = new EnumMap<>(Split.class);
    try {
      long document = firstDocument;
      while (reader.next()) {
        String first = DocumentCut.nextText(reader);
        if (first != null) {
          DocumentCut cut = new DocumentCut(plan, document++, first, reader);
          for (Split split = cut.split(); split != null; split = cut.split()) {
            encode(encoder(encoders, split, slice, attempt), cut, reader);
          }
        }
      }
      Map<Split, EncodedSlice.EncodedSplit> splits = new EnumMap<>(Split.class);
      for (Map.Entry<Split, SplitEncoder> entry : encoders.entrySet()) {
        splits.put(entry.getKey(), entry.getValue().commit());
      }
      return new EncodedSlice(slice, document - firstDocument, splits, reader.replacedCharacters());
    } finally {
      for (SplitEncoder encoder : encoders.values()) {
        encoder.close();
      }
    }
  }

  private void encode(SplitEncoder encoder, DocumentCut text, DocumentReader reader)
      throws IOException {
    try {
      encoder.encode(text, !plan.isSingleDocument());
    } catch (IllegalArgumentException e) {
      throw new IOException("cannot tokenize %s: %s".formatted(reader.place(), e.getMessage()), e);
    }
  }

  private SplitEncoder encoder(
      Map<Split, SplitEncoder> encoders, Split split, int slice, String attempt)
      throws IOException {
    SplitEncoder encoder = encoders.get(split);
    if (encoder == null) {
      int tokenBytes = DatasetManifest.tokenBytes(tokenizer.vocabularySize());
      String name = "%s-%05d%s".formatted(split.label(), slice, suffix);
      encoder =
          new SplitEncoder(
              tokenizer, new ShardWriter(fileSystem, folder, name, attempt, tokenBytes));
      encoders.put(split, encoder);
    }
    return encoder;
  }
}
