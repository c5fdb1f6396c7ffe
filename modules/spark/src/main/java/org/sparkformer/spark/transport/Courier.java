package org.sparkformer.spark.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.apache.spark.network.protocol.Message;

/**
 * Sends one-way messages on a channel and knows how many bytes are still on their way to the
 * socket.
 */
final class Courier {
  private static final Message.Type TYPE = Message.Type.OneWayMessage;

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
    send(header(message.remaining()), message, released);
  }

  /** Sends, as above, a message of the frame's number and the frame. */
  void send(long number, ByteBuffer frame, Runnable released) {
    send(header(Long.BYTES + frame.remaining()).writeLong(number), frame, released);
  }

  /** In one piece: Spark's encoder would hand header and body to the socket one by one. */
  private void send(ByteBuf header, ByteBuffer rest, Runnable released) {
    ByteBuf framed = Unpooled.wrappedBuffer(header, Unpooled.wrappedBuffer(rest));
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

  /** As Spark lays it out, before a body of that length; a number has room behind it. */
  private ByteBuf header(int bodyBytes) {
    int bytes = Long.BYTES + TYPE.encodedLength() + Integer.BYTES;
    ByteBuf header = channel.alloc().directBuffer(bytes + Long.BYTES);
    TYPE.encode(header.writeLong(bytes + bodyBytes));
    return header.writeInt(bodyBytes);
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
