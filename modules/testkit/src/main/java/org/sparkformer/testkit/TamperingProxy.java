package org.sparkformer.testkit;

import java.io.Closeable;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Stands between a caller and a server of this machine, knows where messages begin and end, and
 * lets a test change, cut, repeat or invent those of the caller. What the server says goes through
 * as it is. Serves one connection.
 */
public final class TamperingProxy implements AutoCloseable {
  private final ServerSocket listener;
  private final int target;
  private final Framing framing;
  private final Fault fault;
  private volatile Socket caller;
  private volatile Socket server;

  /** How the caller's bytes divide into messages. */
  public enum Framing {
    /** Spark's: 8 bytes of length, which counts itself. */
    SPARK(8) {
      @Override
      int length(byte[] header) {
        return (int) ByteBuffer.wrap(header).getLong();
      }

      @Override
      public byte[] cut(byte[] message, int length) {
        byte[] shorter = Arrays.copyOf(message, length);
        ByteBuffer.wrap(shorter).putLong(length);
        return shorter;
      }
    },
    /** TLS records: type, version and 2 bytes of length, which does not count these 5. */
    TLS(5) {
      @Override
      int length(byte[] header) {
        return 5 + Short.toUnsignedInt(ByteBuffer.wrap(header).getShort(3));
      }

      @Override
      public byte[] cut(byte[] message, int length) {
        byte[] shorter = Arrays.copyOf(message, length);
        ByteBuffer.wrap(shorter).putShort(3, (short) (length - 5));
        return shorter;
      }
    };

    private final int headerBytes;

    Framing(int headerBytes) {
      this.headerBytes = headerBytes;
    }

    /** Bytes that say how long a message is. */
    public int headerBytes() {
      return headerBytes;
    }

    abstract int length(byte[] header);

    /** The first bytes of a message as a message of that length. */
    public abstract byte[] cut(byte[] message, int length);
  }

  /** What happens to the caller's messages. */
  public interface Fault {
    /**
     * Passes on what the server is to see.
     *
     * @param number of the message, from 0
     */
    void apply(int number, byte[] message, Wire out) throws IOException;
  }

  /** To the server. */
  public interface Wire {
    void send(byte[] bytes) throws IOException;
  }

  /** Listens on a free port of this machine and passes on to {@code target}. */
  public TamperingProxy(int target, Framing framing, Fault fault) throws IOException {
    this.listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    this.target = target;
    this.framing = framing;
    this.fault = fault;
    start(this::serve);
  }

  /** Where to call instead of the server. */
  public int port() {
    return listener.getLocalPort();
  }

  @Override
  public void close() {
    hangUp(listener);
    hangUp(caller);
    hangUp(server);
  }

  private void serve() throws IOException {
    caller = listener.accept();
    server = new Socket(InetAddress.getLoopbackAddress(), target);
    caller.setTcpNoDelay(true);
    server.setTcpNoDelay(true);
    start(() -> server.getInputStream().transferTo(caller.getOutputStream()));
    DataInputStream in = new DataInputStream(caller.getInputStream());
    OutputStream out = server.getOutputStream();
    for (int number = 0; true; number++) {
      fault.apply(number, read(in), out::write);
    }
  }

  private byte[] read(DataInputStream in) throws IOException {
    byte[] header = new byte[framing.headerBytes];
    in.readFully(header);
    byte[] message = Arrays.copyOf(header, framing.length(header));
    in.readFully(message, header.length, message.length - header.length);
    return message;
  }

  private interface Work {
    void run() throws IOException;
  }

  /** One side's end is the other's. */
  private void start(Work work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (IOException ended) {
                // Either side may hang up at any time: that is what the tests are about.
              } finally {
                close();
              }
            },
            "tampering-proxy");
    thread.setDaemon(true);
    thread.start();
  }

  private static void hangUp(Closeable socket) {
    try {
      if (socket != null) {
        socket.close();
      }
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }
}
