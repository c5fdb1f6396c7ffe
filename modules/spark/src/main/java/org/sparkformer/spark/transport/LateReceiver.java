package org.sparkformer.spark.transport;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.Consumer;
import org.sparkformer.collective.Transport;

/**
 * Keeps what happens before there is a receiver, and drops what happens after the end. Frames do
 * not come here before there is one.
 */
final class LateReceiver {
  private final Queue<Consumer<Transport.Receiver>> early = new ArrayDeque<>();
  private volatile Transport.Receiver receiver;
  private boolean closed;

  /** Null before the start. */
  Transport.Receiver receiver() {
    return receiver;
  }

  synchronized void deliver(Consumer<Transport.Receiver> event) {
    if (closed) {
      return;
    }
    if (receiver == null) {
      early.add(event);
    } else {
      event.accept(receiver);
    }
  }

  synchronized void start(Transport.Receiver listener) {
    early.forEach(event -> event.accept(listener));
    early.clear();
    receiver = listener;
  }

  /** False when it has been called before. */
  synchronized boolean close() {
    boolean first = !closed;
    closed = true;
    early.clear();
    return first;
  }
}
