package org.sparkformer.data;

/**
 * Bytes {@code start} (inclusive) to {@code end} (exclusive) of a file. A line belongs to the part
 * in which its first byte lies, a Parquet row group to the one in which its middle lies.
 */
public record CorpusPart(String path, InputFormat format, long start, long end) {}
