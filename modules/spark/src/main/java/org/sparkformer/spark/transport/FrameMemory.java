package org.sparkformer.spark.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.util.UncheckedBooleanSupplier;

/**
 * Where Netty reads a socket into: the rest of the frame that the connection's {@link FrameReader}
 * is at, or buffers as usual.
 */
final class FrameMemory extends AdaptiveRecvByteBufAllocator {
  private final Channel channel;

  FrameMemory(Channel channel) {
    this.channel = channel;
  }

  @Override
  @SuppressWarnings("deprecation") // Handle: there is no other yet.
  public Handle newHandle() {
    return new Lending((ExtendedHandle) super.newHandle());
  }

  private final class Lending extends RecvByteBufAllocator.DelegatingHandle
      implements RecvByteBufAllocator.ExtendedHandle {
    private final ExtendedHandle usual;

    Lending(ExtendedHandle usual) {
      super(usual);
      this.usual = usual;
    }

    @Override
    public ByteBuf allocate(ByteBufAllocator allocator) {
      FrameReader reader = channel.pipeline().get(FrameReader.class);
      ByteBuf rest = reader == null ? null : reader.restOfFrame();
      return rest == null ? usual.allocate(allocator) : rest;
    }

    @Override
    public boolean continueReading(UncheckedBooleanSupplier maybeMoreData) {
      return usual.continueReading(maybeMoreData);
    }
  }
}
