package org.sparkformer.data;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;

/** Opens the text formats. Parquet needs a reader of its own, which this module does not have. */
public record TextDocuments(Configuration configuration, String field)
    implements DocumentReader.Opener {

  @Override
  public DocumentReader open(CorpusPart part) throws IOException {
    return switch (part.format()) {
      case TEXT -> new TextReader(part, PartStream.open(configuration, part, 0));
      case LINES -> lines(part);
      case JSONL -> new JsonLinesReader(lines(part), field);
      case PARQUET, AUTO ->
          throw new IllegalArgumentException(
              "%s is of format %s, which is not text".formatted(part.path(), part.format()));
    };
  }

  private LineReader lines(CorpusPart part) throws IOException {
    long end = PartStream.isCompressed(configuration, part) ? Long.MAX_VALUE : part.end();
    return new LineReader(
        part, PartStream.open(configuration, part, Math.max(0, part.start() - 1)), end);
  }
}
