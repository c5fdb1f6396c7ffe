package org.sparkformer.spark.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.apache.spark.network.buffer.NioManagedBuffer;
import org.apache.spark.network.protocol.OneWayMessage;

/**
 * Sends one-way messages on a channel and knows how many bytes are still on their way to the
 * socket.
 */
final class Courier {
  private final Channel channel;
  private long pendingBytes;

  Courier(Channel channel) {
    this.channel = channel;
  }

  Channel channel() {
    return channel;
  }

  /**
   * Sends in order; {@code released} is called once, when the bytes are in the socket or never will
   * be.
   */
  void send(ByteBuffer message, Runnable released) {
    ByteBuf framed = framed(message);
    int bytes = framed.readableBytes();
    count(bytes);
    channel
        .writeAndFlush(framed)
        .addListener(
            done -> {
              count(-bytes);
              released.run();
              if (!done.isSuccess()) {
                channel.close();
              }
            });
  }

  /**
   * Lays a message out as Spark's encoder does, which would hand header and body to the socket one
   * by one.
   */
  private ByteBuf framed(ByteBuffer body) {
    OneWayMessage message = new OneWayMessage(new NioManagedBuffer(body));
    int headerBytes = Long.BYTES + message.type().encodedLength() + message.encodedLength();
    ByteBuf header =
        channel.alloc().directBuffer(headerBytes).writeLong(headerBytes + body.remaining());
    message.type().encode(header);
    message.encode(header);
    return Unpooled.wrappedBuffer(header, Unpooled.wrappedBuffer(body));
  }

  /**
   * Waits until at most {@code bytes} are pending; false when that takes too long or the channel is
   * closed.
   */
  synchronized boolean awaitPending(long bytes, Duration longest) throws InterruptedException {
    long deadline = System.nanoTime() + longest.toNanos();
    while (pendingBytes > bytes) {
      long left = (deadline - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        return false;
      }
      wait(left);
    }
    return channel.isActive();
  }

  private synchronized void count(int bytes) {
    pendingBytes += bytes;
    notifyAll();
  }
}
