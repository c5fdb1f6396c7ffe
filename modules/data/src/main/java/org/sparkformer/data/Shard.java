package org.sparkformer.data;

/**
 * A stretch of a split.
 *
 * @param tokens the token ids, unsigned little endian, {@link DatasetManifest#tokenBytes()} bytes
 *     each
 * @param documents for each document the position in this shard after its last token, int64 little
 *     endian, ascending
 */
public record Shard(
    DatasetFile tokens, DatasetFile documents, long tokenCount, long documentCount) {}
