package org.sparkformer.spark.transport;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import org.apache.spark.network.protocol.Message;

/**
 * Looks, before Spark does, at the lengths within a whole message, and hangs up where one says more
 * than the message holds: Spark would first allocate what it says, up to 2 GiB, for anybody who
 * reaches the port. Only the kinds of message that ranks and the driver's link use pass.
 *
 * <p>After the type's byte, a request and its answer have a number of 8 bytes, 4 of length and a
 * body, which may be one of Spark's authentication; a failure has the number and a string.
 */
final class InnerLengths extends ChannelInboundHandlerAdapter {
  private static final int STRING_AT = 1 + Long.BYTES;
  private static final int BODY_AT = STRING_AT + Integer.BYTES;

  /** First bytes of {@code AuthMessage} and {@code SaslMessage}, and the arrays that follow. */
  private static final byte AUTHENTICATION = (byte) 0xFB;

  private static final int AUTHENTICATION_ARRAYS = 3;
  private static final byte SASL = (byte) 0xEA;
  private static final int SASL_ARRAYS = 1;

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (message instanceof ByteBuf whole && !areTrue(whole)) {
      whole.release();
      context.close();
    } else {
      context.fireChannelRead(message);
    }
  }

  /**
   * @param message from its type on
   */
  static boolean areTrue(ByteBuf message) {
    int start = message.readerIndex();
    byte type = message.getByte(start);
    if (type == Message.Type.OneWayMessage.id()) {
      return true;
    }
    if (type == Message.Type.RpcFailure.id()) {
      return holds(message, start + STRING_AT, 1);
    }
    return (type == Message.Type.RpcRequest.id() || type == Message.Type.RpcResponse.id())
        && isTrueBody(message, start + BODY_AT);
  }

  private static boolean isTrueBody(ByteBuf message, int at) {
    if (at >= message.writerIndex()) {
      return true;
    }
    return switch (message.getByte(at)) {
      case AUTHENTICATION -> holds(message, at + 1, AUTHENTICATION_ARRAYS);
      case SASL -> holds(message, at + 1, SASL_ARRAYS);
      default -> true;
    };
  }

  /** Whether so many arrays, each after 4 bytes of its length, lie within the message. */
  private static boolean holds(ByteBuf message, int at, int arrays) {
    long next = at;
    for (int array = 0; array < arrays; array++) {
      if (next + Integer.BYTES > message.writerIndex()) {
        return false;
      }
      int length = message.getInt((int) next);
      next += Integer.BYTES + (long) length;
      if (length < 0 || next > message.writerIndex()) {
        return false;
      }
    }
    return true;
  }
}
