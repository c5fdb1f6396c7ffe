package org.sparkformer.spark.transport;

import java.nio.ByteBuffer;
import java.util.Optional;
import org.sparkformer.collective.Transport;

/**
 * One connection of a peer, from its greeting on: frames go to the receiver in their turn, from
 * memory of their own where there was no receiver yet.
 */
final class PeerConnection implements FrameReader.Sink {
  private static final String CLOSED = "its end was closed";

  private final int rank;
  private final PeerLink link;
  private final int number;
  private final LateReceiver receiver;
  private Transport.Receiver owner;
  private boolean ended;
  private volatile boolean dismissed;

  /**
   * @param number of the connection on the link, from 0
   */
  PeerConnection(int rank, PeerLink link, int number, LateReceiver receiver) {
    this.rank = rank;
    this.link = link;
    this.number = number;
    this.receiver = receiver;
  }

  int rank() {
    return rank;
  }

  /** Takes no more of a caller that turns out to be no rank. */
  void dismiss() {
    dismissed = true;
  }

  @Override
  public Optional<ByteBuffer> memory(int bytes) {
    owner = receiver.receiver();
    if (dismissed) {
      return Optional.empty();
    }
    return owner == null ? Optional.of(ByteBuffer.allocate(bytes)) : owner.memory(rank, bytes);
  }

  @Override
  public void received(ByteBuffer frame) {
    Transport.Receiver lender = owner;
    link.arrived(
        number,
        lender == null
            ? () -> receiver.deliver(to -> to.receivedElsewhere(rank, frame))
            : () -> lender.received(rank, frame));
  }

  @Override
  public void ended() {
    ended = true;
    link.arrived(number, () -> receiver.deliver(to -> lost(to, CLOSED)));
  }

  /** The other side has closed the connection. */
  void closed() {
    broken(CLOSED);
  }

  /** The connection is at its end; before the peer has said so, that is the end of the peer. */
  void broken(String reason) {
    if (!ended) {
      receiver.deliver(to -> lost(to, reason));
    }
  }

  /** Where nothing was listened to yet, the caller may have turned out to be no rank since. */
  private void lost(Transport.Receiver listener, String reason) {
    if (!dismissed) {
      listener.lost(rank, reason);
    }
  }
}
