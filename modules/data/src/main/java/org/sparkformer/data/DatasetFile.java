package org.sparkformer.data;

/**
 * One file of a dataset as its manifest records it: name in the dataset's folder, bytes, CRC32C in
 * hexadecimal.
 */
public record DatasetFile(String name, long bytes, String crc32c) {}
