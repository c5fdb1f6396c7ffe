package org.sparkformer.collective;

import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * Carries frames between the ranks of one attempt. Knows nothing of their content; frames of one
 * sender arrive in the order they were sent, or the peer is reported lost.
 */
public interface Transport extends AutoCloseable {
  /** This rank. */
  int rank();

  /** Number of ranks. */
  int size();

  /**
   * Connections to each peer, over which frames go in turn: of so many in succession each carries
   * one.
   */
  int connections();

  /** Begins to deliver frames, those that arrived earlier first. Called once. */
  void start(Receiver receiver);

  /**
   * Sends the bytes between position and limit to another rank. Does not wait for the peer to take
   * them.
   *
   * @param released called exactly once, on any thread, when the transport no longer needs the
   *     bytes, also when sending failed; a failure is reported through {@link Receiver#lost}
   */
  void send(int peer, ByteBuffer frame, Runnable released);

  /**
   * Waits briefly for frames on their way out, then ends delivery; peers are told that this rank is
   * gone.
   */
  @Override
  void close();

  /** Takes what arrives, on the transport's threads. */
  interface Receiver {
    /**
     * Memory for a frame of {@code peer} that is about to arrive, so that its bytes are moved once:
     * position 0, limit {@code bytes}.
     *
     * @return empty when the peer may not send so much; nothing more is expected of it then
     */
    Optional<ByteBuffer> memory(int peer, int bytes);

    /**
     * A frame of {@code peer} between position and limit of what {@link #memory} gave, which is the
     * receiver's again.
     */
    void received(int peer, ByteBuffer frame);

    /** A frame of {@code peer} in memory of the transport, of which the receiver gets a copy. */
    default void receivedElsewhere(int peer, ByteBuffer frame) {
      memory(peer, frame.remaining()).ifPresent(memory -> received(peer, memory.put(frame).flip()));
    }

    /** Nothing more will come from {@code peer}. */
    void lost(int peer, String reason);
  }
}
