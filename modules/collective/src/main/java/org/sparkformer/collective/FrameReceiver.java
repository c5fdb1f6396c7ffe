package org.sparkformer.collective;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Opens the frames that the transport delivers, on its threads, and gives each to whom it is for;
 * frames of other runs and attempts go no further than here.
 */
final class FrameReceiver implements Transport.Receiver {
  private final FrameCodec codec;
  private final BufferPool pool;
  private final Inbox inbox;
  private final AtomicLong staleFrames = new AtomicLong();

  FrameReceiver(CollectiveOptions options, BufferPool pool, Inbox inbox) {
    this.codec = new FrameCodec(options.runId(), options.attempt());
    this.pool = pool;
    this.inbox = inbox;
  }

  /** Frames of other runs and attempts that were dropped. */
  long staleFrames() {
    return staleFrames.get();
  }

  @Override
  public Optional<ByteBuffer> memory(int peer, int bytes) {
    if (pool.fits(bytes)) {
      return Optional.of(pool.acquire(bytes));
    }
    inbox.fail(
        "rank %d sent a frame of %d bytes: every rank must have the same chunk size"
            .formatted(peer, bytes));
    return Optional.empty();
  }

  @Override
  public void received(int peer, ByteBuffer frame) {
    if (!isKept(peer, frame)) {
      pool.release(frame);
    }
  }

  @Override
  public void lost(int peer, String reason) {
    inbox.lost(peer, reason);
  }

  /**
   * Whether the frame waits for an operation now; what it says is taken in otherwise, or dropped.
   */
  private boolean isKept(int peer, ByteBuffer frame) {
    try {
      Optional<FrameHeader> header = codec.open(frame);
      if (header.isEmpty()) {
        staleFrames.incrementAndGet();
      } else if (header.get().sender() != peer) {
        inbox.fail(
            "a frame from rank %d claims to be from rank %d"
                .formatted(peer, header.get().sender()));
      } else {
        return accept(header.get(), frame);
      }
    } catch (DamagedFrameException damage) {
      inbox.fail("a frame from rank %d arrived damaged (%s)".formatted(peer, damage.getMessage()));
    }
    return false;
  }

  private boolean accept(FrameHeader header, ByteBuffer payload) {
    switch (header.operation()) {
      case FAREWELL -> inbox.depart(header.sender(), text(payload));
      case NOTE -> inbox.keepNote(header, payload);
      case ACTIVITY -> {
        payload.limit(Math.min(payload.limit(), payload.position() + Collective.LARGEST_NOTE));
        inbox.lastKnown().heard(header.sender(), header.key().sequence(), text(payload));
      }
      default -> {
        return inbox.keep(header, payload);
      }
    }
    return false;
  }

  private static String text(ByteBuffer payload) {
    return StandardCharsets.UTF_8.decode(payload).toString();
  }
}
