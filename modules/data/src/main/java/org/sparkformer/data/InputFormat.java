package org.sparkformer.data;

/**
 * How documents stand in an input file. Text and JSON lines may be compressed with any codec that
 * Hadoop knows.
 */
public enum InputFormat {
  /**
   * By the file name: {@code .jsonl}, {@code .ndjson} and {@code .parquet}; any other is {@link
   * #TEXT}.
   */
  AUTO,
  /** A file is a document. */
  TEXT,
  /** A line is a document; lines end with LF or CR LF. */
  LINES,
  /** A line is a JSON object, one field of which is a document. */
  JSONL,
  /** A row is a document, one column of which is its text; rows without a value are left out. */
  PARQUET
}
