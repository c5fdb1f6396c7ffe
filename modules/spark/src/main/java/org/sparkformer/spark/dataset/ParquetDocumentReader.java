package org.sparkformer.spark.dataset;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.api.ReadSupport;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.sparkformer.data.CorpusPart;
import org.sparkformer.data.DocumentReader;
import org.sparkformer.data.Utf8Decoder;

/**
 * One document a row, from the row groups whose middle lies in a part of the file; only the
 * column's pages are read.
 */
final class ParquetDocumentReader implements DocumentReader {
  private final CorpusPart part;
  private final ParquetReader<Group> rows;
  private final ParquetColumn column;
  private final Utf8Decoder decoder = new Utf8Decoder();
  private String text;

  private ParquetDocumentReader(CorpusPart part, ParquetReader<Group> rows, ParquetColumn column) {
    this.part = part;
    this.rows = rows;
    this.column = column;
  }

  static ParquetDocumentReader open(Configuration configuration, CorpusPart part, String field)
      throws IOException {
    Path file = new Path(part.path());
    ParquetColumn column = ParquetColumn.find(configuration, file, field);
    Configuration projected = new Configuration(configuration);
    projected.set(ReadSupport.PARQUET_READ_SCHEMA, column.projection().toString());
    ParquetReader<Group> rows =
        ParquetReader.builder(new GroupReadSupport(), file)
            .withConf(projected)
            .withFileRange(part.start(), part.end())
            .build();
    return new ParquetDocumentReader(part, rows, column);
  }

  @Override
  public boolean next() throws IOException {
    for (Group row = rows.read(); row != null; row = rows.read()) {
      byte[] bytes = column.bytes(row);
      if (bytes != null) {
        text = decoder.decode(bytes, bytes.length, true);
        return true;
      }
    }
    return false;
  }

  @Override
  public String read() {
    String piece = text;
    text = null;
    return piece;
  }

  @Override
  public String place() {
    return part.path();
  }

  @Override
  public long replacedCharacters() {
    return decoder.replaced();
  }

  @Override
  public void close() throws IOException {
    rows.close();
  }
}
