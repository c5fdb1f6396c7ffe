package org.sparkformer.collective;

import java.nio.ByteBuffer;

/** A working transport whose outgoing frames a test may change, repeat or withhold. */
final class FaultyTransport extends ForwardingTransport {
  private final Fault fault;

  FaultyTransport(Transport transport, Fault fault) {
    super(transport);
    this.fault = fault;
  }

  /** What happens to a frame on its way. */
  interface Fault {
    /** Passes on to {@code out} what the peer is to see, in any number of frames. */
    void apply(int peer, byte[] frame, Wire out);
  }

  /** The real transport, for one peer. */
  interface Wire {
    void send(byte[] frame);
  }

  @Override
  public void send(int peer, ByteBuffer frame, Runnable released) {
    byte[] bytes = new byte[frame.remaining()];
    frame.get(bytes);
    released.run();
    fault.apply(peer, bytes, out -> super.send(peer, ByteBuffer.wrap(out), () -> {}));
  }
}
