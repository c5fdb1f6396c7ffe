package org.sparkformer.spark.dataset;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.sparkformer.data.CorpusPart;
import org.sparkformer.data.DocumentReader;
import org.sparkformer.data.InputFormat;
import org.sparkformer.data.TextDocuments;

/** Opens all formats: text as the data module does, Parquet with the reader that Spark brings. */
record CorpusDocuments(Configuration configuration, String field) implements DocumentReader.Opener {

  @Override
  public DocumentReader open(CorpusPart part) throws IOException {
    return part.format() == InputFormat.PARQUET
        ? ParquetDocumentReader.open(configuration, part, field)
        : new TextDocuments(configuration, field).open(part);
  }
}
