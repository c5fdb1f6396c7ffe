package org.sparkformer.training;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.sparkformer.collective.Collective;

/**
 * How all ranks stop after the same step. Now and then rank 0 tells the others whether it was told
 * to stop, and after how many steps it will tell them again: about a quarter of a second's worth,
 * so that the exchange costs next to nothing and a stop is not long in coming.
 */
final class StopAgreement {
  private static final long NANOS_BETWEEN = 250_000_000;
  private static final int MOST_STEPS_BETWEEN = 1000;

  private final Collective collective;
  private final RunRecorder recorder;
  private int nextStep;
  private int lastStep;
  private long lastNanos = System.nanoTime();

  /**
   * @param firstStep steps already done
   */
  StopAgreement(Collective collective, RunRecorder recorder, int firstStep) {
    this.collective = collective;
    this.recorder = recorder;
    this.lastStep = firstStep;
    this.nextStep = firstStep + 1;
  }

  /** Whether training stops after a step; every rank asks before each update. */
  boolean isReached(int done) throws IOException {
    if (done < nextStep) {
      return false;
    }
    ByteBuffer told = ByteBuffer.wrap(collective.allGather(message(done)).get(0));
    boolean stop = told.getInt() != 0;
    nextStep = done + told.getInt();
    lastStep = done;
    lastNanos = System.nanoTime();
    return stop;
  }

  private byte[] message(int done) throws IOException {
    long nanosPerStep = (System.nanoTime() - lastNanos) / (done - lastStep) + 1;
    int steps = (int) Math.min(MOST_STEPS_BETWEEN, Math.max(1, NANOS_BETWEEN / nanosPerStep));
    return ByteBuffer.allocate(2 * Integer.BYTES)
        .putInt(recorder.isToStop() ? 1 : 0)
        .putInt(steps)
        .array();
  }
}
