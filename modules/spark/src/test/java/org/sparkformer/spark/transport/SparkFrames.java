package org.sparkformer.spark.transport;

import java.nio.ByteBuffer;

/** Messages as Spark lays them out: their whole length in 8 bytes, a byte of type, the rest. */
final class SparkFrames {
  private static final byte REQUEST = 3;
  private static final byte RESPONSE = 4;
  private static final byte ONE_WAY = 9;
  private static final int NUMBER_AT = 9;

  private SparkFrames() {}

  /** A remote procedure call. */
  static byte[] request(byte[] body) {
    return numbered(REQUEST, 1, body);
  }

  /** The answer to a request that an empty message will do. */
  static byte[] success(byte[] request) {
    return numbered(RESPONSE, ByteBuffer.wrap(request).getLong(NUMBER_AT), new byte[0]);
  }

  /** A message that nobody answers. */
  static byte[] oneWay(byte[] body) {
    int length = Long.BYTES + 1 + Integer.BYTES + body.length;
    return ByteBuffer.allocate(length)
        .putLong(length)
        .put(ONE_WAY)
        .putInt(body.length)
        .put(body)
        .array();
  }

  private static byte[] numbered(byte type, long number, byte[] body) {
    int length = Long.BYTES + 1 + Long.BYTES + Integer.BYTES + body.length;
    return ByteBuffer.allocate(length)
        .putLong(length)
        .put(type)
        .putLong(number)
        .putInt(body.length)
        .put(body)
        .array();
  }
}
