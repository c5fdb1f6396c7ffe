package org.sparkformer.collective;

import java.nio.ByteBuffer;

/**
 * Passes everything on to another transport: a base for those that watch frames on their way, or
 * change them.
 */
public class ForwardingTransport implements Transport {
  private final Transport transport;

  public ForwardingTransport(Transport transport) {
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
  public int connections() {
    return transport.connections();
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
