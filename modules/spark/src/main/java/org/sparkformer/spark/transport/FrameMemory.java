package org.sparkformer.spark.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.util.UncheckedBooleanSupplier;

/**
 * Where Netty reads a socket into: what the connection's {@link FrameReader} asks for, or buffers
 * as usual.
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
      ByteBuf next = reader == null ? null : reader.nextRead(allocator);
      return next == null ? usual.allocate(allocator) : next;
    }

    @Override
    public boolean continueReading(UncheckedBooleanSupplier maybeMoreData) {
      return usual.continueReading(maybeMoreData);
    }
  }
}
