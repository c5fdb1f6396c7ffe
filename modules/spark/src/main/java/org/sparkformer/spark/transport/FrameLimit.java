package org.sparkformer.spark.transport;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import java.nio.ByteBuffer;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.spark.network.util.TransportFrameDecoder;

/**
 * Reads along, before Spark does, how long the messages of a connection say they are, and hangs up
 * on one that asks for more than its caller may have: Spark itself would collect up to 2 GiB from
 * anybody who reaches the port. Counts message by message: 8 bytes of length, which counts itself,
 * then one byte of type.
 */
final class FrameLimit extends ChannelInboundHandlerAdapter {
  private static final int LENGTH_BYTES = Long.BYTES;

  /** Of a message that a caller may send before its greeting is accepted, as of the greeting. */
  static final int STRANGERS_BYTES = 8 << 10;

  /** Authentication takes up to two messages, the greeting one. */
  static final int STRANGERS_MESSAGES = 8;

  static final long STRANGERS_SECONDS = 60;

  /** A frame of the collective with the largest chunk, and Spark's own header. */
  static final int LARGEST_BYTES = (16 << 20) + (64 << 10);

  private final BooleanSupplier greeted;
  private final byte[] length = new byte[LENGTH_BYTES];
  private int lengthBytes;
  private long left;
  private int messages;
  private boolean hungUp;

  private FrameLimit(BooleanSupplier greeted) {
    this.greeted = greeted;
  }

  /**
   * Guards a connection, from the moment it is open, against this and {@link InnerLengths}.
   *
   * @param greeted whether its caller has said who it is, and was believed
   */
  static void guard(Channel channel, BooleanSupplier greeted) {
    channel
        .pipeline()
        .addBefore(TransportFrameDecoder.HANDLER_NAME, "frameLimit", new FrameLimit(greeted))
        .addAfter(TransportFrameDecoder.HANDLER_NAME, "innerLengths", new InnerLengths());
    Future<?> limit =
        channel
            .eventLoop()
            .schedule(
                () -> {
                  if (!greeted.getAsBoolean()) {
                    channel.close();
                  }
                },
                STRANGERS_SECONDS,
                TimeUnit.SECONDS);
    channel.closeFuture().addListener(closed -> limit.cancel(false));
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (!hungUp && message instanceof ByteBuf bytes && !allows(bytes)) {
      hungUp = true;
      context.close();
    }
    if (hungUp) {
      ReferenceCountUtil.release(message);
    } else {
      context.fireChannelRead(message);
    }
  }

  private boolean allows(ByteBuf bytes) {
    int at = bytes.readerIndex();
    while (at < bytes.writerIndex()) {
      if (left > 0) {
        int part = (int) Math.min(left, bytes.writerIndex() - at);
        left -= part;
        at += part;
      } else {
        length[lengthBytes++] = bytes.getByte(at++);
        if (lengthBytes == LENGTH_BYTES && !begins()) {
          return false;
        }
      }
    }
    return true;
  }

  /** Whether the message that has just said its length may come. */
  private boolean begins() {
    lengthBytes = 0;
    left = ByteBuffer.wrap(length).getLong() - LENGTH_BYTES;
    messages++;
    return left > 0
        && (greeted.getAsBoolean()
            ? left <= LARGEST_BYTES
            : left <= STRANGERS_BYTES && messages <= STRANGERS_MESSAGES);
  }
}
