package org.sparkformer.spark.transport;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.time.Duration;

/**
 * Ends a connection whose bytes make up no messages any more. Where a length was damaged on its
 * way, as that of a TLS record, which nothing protects, its reader waits for bytes that nobody
 * sends, and the signs of life that a peer gives once a second on each connection are swallowed in
 * their place. So three times that bytes come after a pause, and hardly any between, are the end,
 * unless a whole message has come of them; a link that was away and is back brings many bytes after
 * one pause.
 *
 * <p>Sees the bytes as they arrive, before they are decrypted.
 */
final class MessageProgress extends ChannelInboundHandlerAdapter {
  /** Shorter than between two signs of life. */
  private static final long PAUSE_NANOS = Duration.ofMillis(500).toNanos();

  private static final int MOST_PAUSES = 3;
  private static final int HARDLY_ANY_BYTES = 16 << 10;

  private long lastNanos = System.nanoTime();
  private int pauses;
  private int bytes;

  /** A message has come to its end. */
  void whole() {
    pauses = 0;
    bytes = 0;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (message instanceof ByteBuf arrived) {
      count(arrived.readableBytes());
    }
    context.fireChannelRead(message);
    if (pauses >= MOST_PAUSES) {
      whole();
      context.fireExceptionCaught(
          new IOException(
              "what it sends makes up no messages any more: bytes were lost or changed"));
      context.close();
    }
  }

  private void count(int arrived) {
    long now = System.nanoTime();
    if (now - lastNanos > PAUSE_NANOS) {
      pauses++;
    }
    lastNanos = now;
    bytes += arrived;
    if (bytes >= HARDLY_ANY_BYTES) {
      whole();
    }
  }
}
