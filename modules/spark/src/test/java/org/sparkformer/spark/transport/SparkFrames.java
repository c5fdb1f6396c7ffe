package org.sparkformer.spark.transport;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.network.protocol.Message;

/** Messages as Spark lays them out: their whole length in 8 bytes, a byte of type, the rest. */
final class SparkFrames {
  private static final byte REQUEST = 3;
  private static final byte RESPONSE = 4;
  private static final byte ONE_WAY = 9;
  private static final int NUMBER_AT = 9;
  private static final byte AUTH_MESSAGE = (byte) 0xFB;
  private static final byte SASL_MESSAGE = (byte) 0xEA;

  private SparkFrames() {}

  /** A remote procedure call. */
  static byte[] request(byte[] body) {
    return numbered(REQUEST, 1, body);
  }

  /** The answer to a request that an empty message will do. */
  static byte[] success(byte[] request) {
    return numbered(RESPONSE, ByteBuffer.wrap(request).getLong(NUMBER_AT), new byte[0]);
  }

  /** A message that is its type and a hundred times the same byte. */
  static byte[] filled(Message.Type type, byte with) {
    byte[] message = new byte[Long.BYTES + 1 + 100];
    Arrays.fill(message, with);
    ByteBuffer.wrap(message).putLong(message.length).put(type.id());
    return message;
  }

  /** Bodies of requests that Spark takes for authentication, of the same byte otherwise. */
  static List<byte[]> authentications(byte with) {
    List<byte[]> bodies = new ArrayList<>();
    for (byte tag : new byte[] {AUTH_MESSAGE, SASL_MESSAGE}) {
      byte[] body = new byte[100];
      Arrays.fill(body, with);
      body[0] = tag;
      bodies.add(body);
    }
    return bodies;
  }

  /** A rank's frame, which nobody answers. */
  static byte[] frame(long number, byte[] frame) {
    int length = Long.BYTES + 1 + Integer.BYTES + Long.BYTES + frame.length;
    return ByteBuffer.allocate(length)
        .putLong(length)
        .put(ONE_WAY)
        .putInt(Long.BYTES + frame.length)
        .putLong(number)
        .put(frame)
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
