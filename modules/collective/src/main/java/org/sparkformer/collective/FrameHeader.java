package org.sparkformer.collective;

/**
 * What a frame says of itself, beside run and attempt.
 *
 * @param operation the operation that the sender is in
 * @param sender rank of the sender
 * @param key which piece this is
 * @param total bytes of the whole vector or message, the same in all its frames
 */
record FrameHeader(Operation operation, int sender, FrameKey key, long total) {}
