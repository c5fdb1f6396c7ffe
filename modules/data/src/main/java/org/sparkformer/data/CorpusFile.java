package org.sparkformer.data;

/**
 * A file to read.
 *
 * @param format never {@link InputFormat#AUTO}
 * @param splittable whether parts of it can be read by themselves
 */
public record CorpusFile(String path, long bytes, InputFormat format, boolean splittable) {}
