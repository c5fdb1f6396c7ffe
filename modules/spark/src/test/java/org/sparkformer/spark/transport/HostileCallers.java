package org.sparkformer.spark.transport;

import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.spark.network.protocol.Message;

/** Strangers at a port that is not theirs; they hold on until they are closed. */
public final class HostileCallers implements AutoCloseable {
  /** More than what lies on the way in the network's own buffers. */
  private static final int MOST_SENT = 64 << 20;

  /** Four of it make 1,061,109,567. */
  private static final byte NEARLY_A_GIB = 0x3F;

  private final List<Socket> sockets = new ArrayList<>();

  /** What they do. */
  public enum Attack {
    /** Messages that say they are of any length, and never end. */
    ANNOUNCED_LENGTHS(
        (callers, address) -> {
          for (long length :
              new long[] {Integer.MAX_VALUE, 1L << 30, Long.MAX_VALUE, -1, Long.MIN_VALUE, 0, 8}) {
            Socket caller = callers.call(address);
            caller.getOutputStream().write(ByteBuffer.allocate(8).putLong(length).array());
            requireHungUp(caller, new byte[1 << 16]);
          }
        }),

    /** Random bytes, half of them as long as they say or somewhat shorter. */
    GARBAGE(
        (callers, address) -> {
          Random random = new Random(3);
          for (int i = 0; i < 200; i++) {
            byte[] garbage = new byte[1 + random.nextInt(4000)];
            random.nextBytes(garbage);
            if (i % 2 == 0 && garbage.length > 8) {
              ByteBuffer.wrap(garbage).putLong(garbage.length - random.nextInt(8));
            }
            callers.call(address).getOutputStream().write(garbage);
          }
        }),

    /** Wherever Spark may read a number, in messages of every kind, there is one near 1 GiB. */
    LENGTHS_WITHIN_MESSAGES(
        (callers, address) -> {
          for (Message.Type type : Message.Type.values()) {
            callers.call(address).getOutputStream().write(SparkFrames.filled(type, NEARLY_A_GIB));
          }
          for (byte[] body : SparkFrames.authentications(NEARLY_A_GIB)) {
            callers.call(address).getOutputStream().write(SparkFrames.request(body));
          }
        }),

    /** Greetings of another run, whose refusals nobody reads. */
    NEVER_READING(
        (callers, address) ->
            requireHungUp(
                callers.call(address),
                SparkFrames.request(new Hello("another", 0, 1, 0).encode().array()))),

    /** A thousand connections that say nothing or half a greeting. */
    A_THOUSAND(
        (callers, address) -> {
          for (int i = 0; i < 1000; i++) {
            Socket caller = callers.call(address);
            if (i % 2 == 0) {
              byte[] half = new byte[FrameLimit.STRANGERS_BYTES / 2];
              ByteBuffer.wrap(half).putLong(FrameLimit.STRANGERS_BYTES);
              caller.getOutputStream().write(half);
            }
          }
        });

    private final Course course;

    Attack(Course course) {
      this.course = course;
    }
  }

  private interface Course {
    void on(HostileCallers callers, String address) throws IOException;
  }

  /** Returns when all has been said; the connections stay open, unless the callee hangs up. */
  public synchronized void attack(Attack attack, String address) throws IOException {
    attack.course.on(this, address);
  }

  /** Whether a rank or the driver of a run listens there, in plain text: it refuses others. */
  public static boolean isOfARun(String address) {
    try {
      DriverClient.connect(SparkNetwork.loopback(Map.of()), address, "another run", 0, 1).close();
      return false;
    } catch (IOException | RuntimeException refused) {
      return String.valueOf(refused.getMessage()).contains(Stranger.HEARD);
    }
  }

  @Override
  public synchronized void close() throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  private Socket call(String address) throws IOException {
    Socket caller = new Socket(Addresses.host(address), Addresses.port(address));
    sockets.add(caller);
    return caller;
  }

  /** Says the same again and again, and expects not to get far. */
  static void requireHungUp(Socket caller, byte[] bytes) throws IOException {
    OutputStream out = caller.getOutputStream();
    try {
      for (long sent = 0; sent < MOST_SENT; sent += bytes.length) {
        out.write(bytes);
      }
    } catch (SocketException hungUp) {
      return;
    }
    throw new AssertionError("took " + MOST_SENT + " bytes of a stranger");
  }
}
