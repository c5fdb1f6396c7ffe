package org.sparkformer.training;

import java.util.concurrent.CountDownLatch;
import org.sparkformer.tensor.reference.JavaBackend;

/** Tells when its rank has ended. */
final class Ending extends ForwardingBackend {
  private final CountDownLatch ended;

  Ending(CountDownLatch ended) {
    super(new JavaBackend(1));
    this.ended = ended;
  }

  @Override
  public void close() {
    super.close();
    ended.countDown();
  }
}
