package org.sparkformer.spark.transport;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.apache.spark.network.TransportContext;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.client.TransportClientFactory;
import org.apache.spark.network.server.NoOpRpcHandler;

/** A rank's end of a {@link DriverLink}. */
public final class DriverClient implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final long MOST_PENDING_BYTES = 4 << 20;

  private final TransportContext context;
  private final TransportClientFactory clients;
  private final TransportClient client;
  private final Courier courier;

  private DriverClient(
      TransportContext context, TransportClientFactory clients, TransportClient client) {
    this.context = context;
    this.clients = clients;
    this.client = client;
    this.courier = new Courier(client.getChannel());
  }

  /**
   * Calls the driver.
   *
   * @param address what {@link DriverLink#address()} said
   * @throws IOException when the driver cannot be reached, or no longer wants this attempt
   */
  public static DriverClient connect(
      SparkNetwork network, String address, String runId, int attempt, int rank)
      throws IOException {
    TransportContext context = network.context(new Guarded());
    TransportClientFactory clients = context.createClientFactory(network.clientBootstraps());
    try {
      TransportClient client =
          clients.createUnmanagedClient(Addresses.host(address), Addresses.port(address));
      Question.ask(client, new Hello(runId, attempt, rank, 0).encode(), PATIENCE);
      return new DriverClient(context, clients, client);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      release(clients, context);
      throw new IOException("interrupted calling the driver at " + address, interrupted);
    } catch (IOException | RuntimeException refused) {
      release(clients, context);
      throw new IOException(
          "rank "
              + rank
              + " cannot talk to the driver at "
              + address
              + ": "
              + Hello.reason(refused),
          refused);
    }
  }

  /**
   * Sends one line, waiting only while the driver is far behind.
   *
   * @throws UncheckedIOException when the driver is gone
   */
  public void send(String line) {
    try {
      if (!courier.awaitPending(MOST_PENDING_BYTES, PATIENCE)) {
        throw new UncheckedIOException(
            new IOException("the driver at " + client.getSocketAddress() + " takes no more lines"));
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new UncheckedIOException(
          new IOException("interrupted telling the driver", interrupted));
    }
    courier.send(ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8)), () -> {});
  }

  /**
   * Asks the driver whether it still wants this attempt; everything sent before has been heard
   * then.
   *
   * @throws IOException when it does not, or is gone
   */
  public void requireAdmitted() throws IOException {
    ask();
  }

  /**
   * Asks the driver whether training is to stop.
   *
   * @throws IOException as {@link #requireAdmitted}
   */
  public boolean isToStop() throws IOException {
    ByteBuffer answer = ask();
    return answer.hasRemaining() && answer.get() != 0;
  }

  private ByteBuffer ask() throws IOException {
    try {
      return Question.ask(client, ByteBuffer.allocate(0), PATIENCE);
    } catch (RuntimeException refused) {
      throw new IOException(
          "the driver no longer hears this rank: " + Hello.reason(refused), refused);
    }
  }

  /** Waits until the driver has taken every line, then hangs up. */
  @Override
  public void close() {
    try {
      if (client.isActive()) {
        Question.ask(client, ByteBuffer.allocate(0), PATIENCE);
      }
    } finally {
      client.close();
      release(clients, context);
    }
  }

  /** The driver asks nothing; where it listened may be another by now. */
  private static final class Guarded extends NoOpRpcHandler {
    @Override
    public void channelActive(TransportClient client) {
      FrameLimit.guard(client.getChannel(), () -> true);
    }
  }

  private static void release(TransportClientFactory clients, TransportContext context) {
    clients.close();
    context.close();
  }
}
