package org.sparkformer.training;

import java.nio.ByteBuffer;
import org.sparkformer.collective.Transport;

/** Passes everything on to a real transport, so that a test can change one thing. */
class ForwardingTransport implements Transport {
  private final Transport transport;

  ForwardingTransport(Transport transport) {
    this.transport = transport;
  }

  @Override
  public int rank() {
    return transport.rank();
  }

  @Override
  public int size() {
    return transport.size();
  }

  @Override
  public void start(Receiver receiver) {
    transport.start(receiver);
  }

  @Override
  public void send(int peer, ByteBuffer frame, Runnable released) {
    transport.send(peer, frame, released);
  }

  @Override
  public void close() {
    transport.close();
  }
}
