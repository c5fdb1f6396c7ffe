package org.sparkformer.spark.transport;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;

/**
 * The first thing said on a connection: who calls, and for which attempt at which run.
 *
 * @param connection which of the connections that the caller keeps with the callee
 */
record Hello(String runId, int attempt, int rank, int connection) {
  private static final int MAGIC = 0x53464831; // "SFH1"
  private static final int LONGEST = 4096;

  Hello {
    if (attempt < 0 || rank < 0 || connection < 0) {
      throw new IllegalArgumentException(
          "there is no connection %d of rank %d of attempt %d: all count from 0"
              .formatted(connection, rank, attempt));
    }
  }

  /**
   * What a refusal says; Spark sends the callee's stack trace along, of which the first line is the
   * reason.
   */
  static String reason(Exception refused) {
    return String.valueOf(refused.getMessage()).lines().findFirst().orElse("no reason given");
  }

  ByteBuffer encode() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeInt(MAGIC);
      out.writeUTF(runId);
      out.writeInt(attempt);
      out.writeInt(rank);
      out.writeInt(connection);
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return ByteBuffer.wrap(bytes.toByteArray());
  }

  /**
   * Checks that the caller means the run and the attempt that it has reached. A caller that does
   * not know the run is not told its name, with which it could greet.
   *
   * @throws IllegalArgumentException when it does not
   */
  void requireSame(String ownRun, int ownAttempt) {
    if (!runId.equals(ownRun)) {
      throw new IllegalArgumentException("this is another run than that of " + this);
    }
    if (attempt != ownAttempt) {
      throw new IllegalArgumentException(
          "this is attempt " + ownAttempt + " of the run, not that of " + this);
    }
  }

  /**
   * Reads a greeting.
   *
   * @throws IllegalArgumentException when the bytes are something else
   */
  static Hello decode(ByteBuffer message) {
    byte[] bytes = new byte[Math.min(LONGEST, message.remaining())];
    message.get(bytes);
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
      if (in.readInt() != MAGIC) {
        throw new IllegalArgumentException("the caller does not speak this protocol");
      }
      return new Hello(in.readUTF(), in.readInt(), in.readInt(), in.readInt());
    } catch (IOException malformed) {
      throw new IllegalArgumentException("the greeting is malformed", malformed);
    }
  }
}
