package org.sparkformer.collective;

import java.nio.ByteBuffer;

/**
 * Carries frames between the ranks of one attempt. Knows nothing of their content; frames of one
 * sender arrive in the order they were sent, or the peer is reported lost.
 */
public interface Transport extends AutoCloseable {
  /** This rank. */
  int rank();

  /** Number of ranks. */
  int size();

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
    /** A frame of {@code peer}; the bytes are the receiver's only until it returns. */
    void received(int peer, ByteBuffer frame);

    /** Nothing more will come from {@code peer}. */
    void lost(int peer, String reason);
  }
}
