package org.sparkformer.bench;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.sparkformer.collective.Collective;

/**
 * What bytes cost between two processes at least: ranks 0 and 1 send each other as much as an
 * all-reduce between the two would, through one bare socket, and look at none of it. Other ranks
 * stand by.
 */
final class RawCopy implements AutoCloseable {
  private final SocketChannel channel;
  private ByteBuffer received = ByteBuffer.allocateDirect(0);

  private RawCopy(SocketChannel channel) {
    this.channel = channel;
  }

  /** Connects ranks 0 and 1; every rank calls it. */
  static RawCopy between(Collective collective) throws IOException {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    try (ServerSocketChannel server = ServerSocketChannel.open()) {
      server.bind(new InetSocketAddress(loopback, 0));
      String port = Integer.toString(((InetSocketAddress) server.getLocalAddress()).getPort());
      byte[] first = collective.allGather(port.getBytes(StandardCharsets.US_ASCII)).get(0);
      int target = Integer.parseInt(new String(first, StandardCharsets.US_ASCII));
      return new RawCopy(
          switch (collective.rank()) {
            case 0 -> server.accept();
            case 1 -> SocketChannel.open(new InetSocketAddress(loopback, target));
            default -> null;
          });
    }
  }

  /** Sends all of the bytes and receives as many. */
  void exchange(ByteBuffer bytes) throws IOException {
    if (channel == null) {
      return;
    }
    if (received.capacity() < bytes.capacity()) {
      received = ByteBuffer.allocateDirect(bytes.capacity());
    }
    CompletableFuture<Void> sent =
        CompletableFuture.runAsync(() -> send(bytes.duplicate().clear()));
    received.clear().limit(bytes.capacity());
    while (received.hasRemaining()) {
      if (channel.read(received) < 0) {
        throw new EOFException("the other rank has left");
      }
    }
    try {
      sent.join();
    } catch (CompletionException e) {
      throw new IOException(e.getCause());
    }
  }

  private void send(ByteBuffer bytes) {
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws IOException {
    if (channel != null) {
      channel.close();
    }
  }
}
