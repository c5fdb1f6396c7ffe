package org.sparkformer.spark.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.network.protocol.Message;
import org.apache.spark.network.util.TransportFrameDecoder;

/**
 * Takes one-way messages out of a rank's connection before Spark does, and puts their bytes where
 * the receiver wants them: Spark would join a message's pieces on the heap first. The answer to a
 * greeting goes on to Spark; a rank says nothing else. Where bytes arrive as they are, unencrypted,
 * the socket is read straight into the frame.
 *
 * <p>A message is 8 bytes of length, which counts itself, one byte of type and, of a one-way
 * message, 4 bytes that repeat the length of the rest, and 8 of the frame's number; an answer is no
 * shorter. Numbers count a peer's frames on all its connections together, and so rise by as many as
 * there are on each; another than the one that is due says that frames were repeated or lost. An
 * empty frame is the last.
 */
final class FrameReader extends ChannelInboundHandlerAdapter {
  private static final int HEADER_BYTES = Long.BYTES + 1 + Integer.BYTES + Long.BYTES;

  private final Sink sink;
  private final int connections;
  private final MessageProgress progress = new MessageProgress();
  private final ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
  private long due;
  private boolean plain;
  private ByteBuffer frame;
  private ByteBuf lent;
  private long answerLeft;
  private boolean ended;
  private boolean refused;

  private FrameReader(Sink sink, int connection, int connections) {
    this.sink = sink;
    this.due = connection;
    this.connections = connections;
  }

  /** Gives memory for one frame and takes the frame, in turn. */
  interface Sink {
    /** See {@link org.sparkformer.collective.Transport.Receiver#memory}. */
    Optional<ByteBuffer> memory(int bytes);

    void received(ByteBuffer frame);

    /** The sender has said that nothing more comes. */
    void ended();
  }

  /**
   * Between two messages: all that follows are frames, or the answer to this rank's greeting.
   *
   * @param connection of the peer's {@code connections}, from 0
   */
  static void install(Channel channel, Sink sink, int connection, int connections) {
    FrameReader reader = new FrameReader(sink, connection, connections);
    channel
        .pipeline()
        .addBefore(TransportFrameDecoder.HANDLER_NAME, "frameReader", reader)
        .addFirst("messageProgress", reader.progress);
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    plain = isFirstToSee(context.channel());
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (!(message instanceof ByteBuf bytes)) {
      context.fireChannelRead(message);
      return;
    }
    try {
      if (bytes == lent) {
        frame.position(frame.position() + bytes.readableBytes());
        handOverIfWhole();
      } else {
        while (bytes.isReadable() && !refused) {
          read(context, bytes);
        }
      }
    } finally {
      bytes.release();
    }
  }

  private void read(ChannelHandlerContext context, ByteBuf bytes) {
    if (answerLeft > 0) {
      passOn(context, bytes);
    } else if (frame != null) {
      fill(frame, bytes);
      handOverIfWhole();
    } else {
      fill(header, bytes);
      if (!header.hasRemaining()) {
        beginMessage(context);
      }
    }
  }

  private void beginMessage(ChannelHandlerContext context) {
    long left = header.flip().getLong() - HEADER_BYTES;
    byte type = header.get();
    int body = header.getInt();
    if (ended) {
      refuse(context, "a message after the last one");
    } else if (type == Message.Type.OneWayMessage.id() && left + Long.BYTES == body && left >= 0) {
      beginFrame(context, header.getLong(), (int) left);
    } else if (isAnswer(type) && left >= 0) {
      answerLeft = left;
      context.fireChannelRead(Unpooled.copiedBuffer(header.rewind()));
    } else {
      refuse(context, "a message of type " + type + " and " + left + " more bytes is no frame");
    }
    header.clear();
  }

  private void beginFrame(ChannelHandlerContext context, long number, int bytes) {
    if (number != due) {
      String reason = "frame %d came where %d was due: frames were repeated, lost or changed";
      refuse(context, reason.formatted(number, due));
      return;
    }
    due += connections;
    if (bytes == 0) {
      ended = true;
      sink.ended();
      return;
    }
    frame = bytes > FrameLimit.LARGEST_BYTES ? null : sink.memory(bytes).orElse(null);
    if (frame == null) {
      refuse(context, "a frame of " + bytes + " bytes is refused");
    }
  }

  private void handOverIfWhole() {
    if (!frame.hasRemaining()) {
      ByteBuffer whole = frame.flip();
      frame = null;
      lent = null;
      progress.whole();
      sink.received(whole);
    }
  }

  /**
   * What Netty is to read into next: a header and no more, then the frame itself; null where bytes
   * are to come as usual.
   */
  ByteBuf nextRead(ByteBufAllocator allocator) {
    lent = null;
    if (!plain || answerLeft > 0) {
      return null;
    }
    if (frame == null) {
      return allocator.directBuffer(header.remaining());
    }
    if (frame.isDirect()) {
      lent = Unpooled.wrappedBuffer(frame.slice()).writerIndex(0);
    }
    return lent;
  }

  private boolean isFirstToSee(Channel channel) {
    for (Map.Entry<String, ChannelHandler> handler : channel.pipeline()) {
      if (handler.getValue() == this) {
        return true;
      }
      if (handler.getValue() != progress && !(handler.getValue() instanceof FrameLimit)) {
        return false;
      }
    }
    return false;
  }

  private static boolean isAnswer(byte type) {
    return type == Message.Type.RpcResponse.id() || type == Message.Type.RpcFailure.id();
  }

  private void passOn(ChannelHandlerContext context, ByteBuf bytes) {
    int part = (int) Math.min(answerLeft, bytes.readableBytes());
    answerLeft -= part;
    context.fireChannelRead(bytes.readRetainedSlice(part));
  }

  /** Spark reports it as the reason of the connection's end. */
  private void refuse(ChannelHandlerContext context, String reason) {
    refused = true;
    context.fireExceptionCaught(new IOException(reason));
    context.close();
  }

  private static void fill(ByteBuffer target, ByteBuf bytes) {
    int limit = target.limit();
    target.limit(target.position() + Math.min(target.remaining(), bytes.readableBytes()));
    bytes.readBytes(target);
    target.limit(limit);
  }
}
