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
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.IntFunction;

/**
 * Stands between a caller and a server of this machine, knows where messages begin and end, and
 * lets a test change, cut, repeat or invent those of the caller. What the server says goes through
 * as it is.
 */
public final class TamperingProxy implements AutoCloseable {
  private final ServerSocket listener;
  private final int target;
  private final Framing framing;
  private final IntFunction<Fault> faults;
  private final List<Connection> connections = new CopyOnWriteArrayList<>();

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
    this(target, framing, connection -> fault);
  }

  /**
   * For callers that keep several connections.
   *
   * @param faults what happens to the messages of each connection, in the order of the calls, from
   *     0
   */
  public TamperingProxy(int target, Framing framing, IntFunction<Fault> faults) throws IOException {
    this.listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    this.target = target;
    this.framing = framing;
    this.faults = faults;
    start(this::accept, this::close);
  }

  /** Where to call instead of the server. */
  public int port() {
    return listener.getLocalPort();
  }

  /** Ends one connection, on both sides. */
  public void cut(int connection) {
    connections.get(connection).close();
  }

  @Override
  public void close() {
    hangUp(listener);
    connections.forEach(Connection::close);
  }

  private void accept() throws IOException {
    while (true) {
      Connection connection = new Connection(listener.accept());
      Fault fault = faults.apply(connections.size());
      connections.add(connection);
      start(() -> connection.serve(fault), connection::close);
    }
  }

  /** A call, and what the proxy says to the server in its place. */
  private final class Connection {
    private final Socket caller;
    private final Socket server;

    Connection(Socket caller) throws IOException {
      this.caller = caller;
      this.server = new Socket(InetAddress.getLoopbackAddress(), target);
      caller.setTcpNoDelay(true);
      server.setTcpNoDelay(true);
    }

    void serve(Fault fault) throws IOException {
      start(() -> server.getInputStream().transferTo(caller.getOutputStream()), this::close);
      DataInputStream in = new DataInputStream(caller.getInputStream());
      OutputStream out = server.getOutputStream();
      for (int number = 0; true; number++) {
        fault.apply(number, read(in), out::write);
      }
    }

    void close() {
      hangUp(caller);
      hangUp(server);
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

  /**
   * @param end comes with the end of the work: one side's is the other's
   */
  private static void start(Work work, Runnable end) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (IOException ended) {
                // Either side may hang up at any time: that is what the tests are about.
              } finally {
                end.run();
              }
            },
            "tampering-proxy");
    thread.setDaemon(true);
    thread.start();
  }

  private static void hangUp(Closeable socket) {
    try {
      socket.close();
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }
}
