package org.sparkformer.spark.transport;

import io.netty.channel.Channel;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.network.TransportContext;
import org.apache.spark.network.client.RpcResponseCallback;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.server.OneForOneStreamManager;
import org.apache.spark.network.server.RpcHandler;
import org.apache.spark.network.server.StreamManager;
import org.apache.spark.network.server.TransportServer;

/**
 * Where the driver hears from its ranks while the barrier stage runs: lines of text (JSON by
 * convention), each from a known rank of the attempt that is admitted. Others are hung up on, so
 * that their ranks hear it too.
 */
public final class DriverLink implements AutoCloseable {
  private final String address;
  private final TransportContext context;
  private final TransportServer server;
  private final Calls calls;

  private DriverLink(SparkNetwork network, Calls calls) {
    this.calls = calls;
    this.context = network.context(calls);
    this.server = context.createServer(network.bindAddress(), 0, network.serverBootstraps());
    this.address = Addresses.format(network.host(), server.getPort());
  }

  /**
   * Takes what the ranks say; called by one thread at a time, a rank's lines in the order it sent
   * them.
   */
  public interface Listener {
    void line(int rank, String line);

    /** Whether ranks that ask are told to stop. */
    default boolean isToStop() {
      return false;
    }

    /** A rank's connection has ended, in order or not. */
    default void left(int rank) {}
  }

  /** Opens a port on the driver; nobody is heard before {@link #admit}. */
  public static DriverLink listen(SparkNetwork network, String runId, Listener listener) {
    return new DriverLink(network, new Calls(runId, listener));
  }

  /** Where ranks reach the driver, as {@code host:port}. */
  public String address() {
    return address;
  }

  /** Hears the ranks of this attempt, and no others, from now on. */
  public void admit(int attempt) {
    calls.admit(attempt);
  }

  @Override
  public void close() {
    calls.admit(Calls.NOBODY);
    server.close();
    context.close();
  }

  private static final class Calls extends RpcHandler {
    static final int NOBODY = -1;

    private final String runId;
    private final Listener listener;
    private final StreamManager noStreams = new OneForOneStreamManager();
    private final Map<Channel, Hello> callers = new ConcurrentHashMap<>();
    private int admitted = NOBODY;

    Calls(String runId, Listener listener) {
      this.runId = runId;
      this.listener = listener;
    }

    synchronized void admit(int attempt) {
      admitted = attempt;
      callers.forEach(
          (channel, caller) -> {
            if (caller.attempt() != attempt) {
              channel.close();
            }
          });
    }

    @Override
    public void channelActive(TransportClient client) {
      Channel channel = client.getChannel();
      FrameLimit.guard(channel, () -> callers.containsKey(channel));
    }

    /**
     * The greeting, and later an empty message that asks whether everything before it has been
     * heard: refused to a rank that no longer is, else answered by a byte, 1 for a rank that is to
     * stop. Who asks and does not read the answers is hung up on.
     */
    @Override
    public synchronized void receive(
        TransportClient client, ByteBuffer message, RpcResponseCallback callback) {
      if (!client.getChannel().isWritable()) {
        client.getChannel().close();
        return;
      }
      try {
        if (message.hasRemaining()) {
          greet(client.getChannel(), Hello.decode(message));
          callback.onSuccess(ByteBuffer.allocate(0));
        } else {
          requireAdmitted(callers.get(client.getChannel()));
          byte stop = (byte) (listener.isToStop() ? 1 : 0);
          callback.onSuccess(ByteBuffer.wrap(new byte[] {stop}));
        }
      } catch (IllegalArgumentException refused) {
        callback.onFailure(refused);
      }
    }

    @Override
    public synchronized void receive(TransportClient client, ByteBuffer message) {
      Hello caller = callers.get(client.getChannel());
      if (caller == null) {
        client.getChannel().close();
      } else if (caller.attempt() == admitted) {
        listener.line(caller.rank(), StandardCharsets.UTF_8.decode(message).toString());
      }
    }

    @Override
    public synchronized void channelInactive(TransportClient client) {
      Hello caller = callers.remove(client.getChannel());
      if (caller != null && caller.attempt() == admitted) {
        listener.left(caller.rank());
      }
    }

    @Override
    public StreamManager getStreamManager() {
      return noStreams;
    }

    private void greet(Channel channel, Hello hello) {
      hello.requireSame(runId, admitted);
      callers.put(channel, hello);
    }

    private void requireAdmitted(Hello caller) {
      if (caller == null) {
        throw new IllegalArgumentException("the caller has not said who it is");
      }
      caller.requireSame(runId, admitted);
    }
  }
}
