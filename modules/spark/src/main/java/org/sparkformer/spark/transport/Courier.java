package org.sparkformer.spark.transport;

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
    int bytes = message.remaining();
    count(bytes);
    channel
        .writeAndFlush(new OneWayMessage(new NioManagedBuffer(message)))
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
