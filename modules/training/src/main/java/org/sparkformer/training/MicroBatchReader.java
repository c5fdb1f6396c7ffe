package org.sparkformer.training;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.sparkformer.data.Samples;
import org.sparkformer.training.configuration.TrainingConfiguration;

/**
 * Reads this rank's micro-batches ahead of training on a thread of its own. Sample numbers are
 * {@code step * batch_size + index}: a function of the step alone. Steps that are skipped are
 * passed over; those whose gradients are computed twice are read twice.
 */
final class MicroBatchReader implements AutoCloseable {
  private static final int READ_AHEAD = 4;

  private final Samples samples;
  private final TrainingConfiguration training;
  private final List<Integer> leaves;
  private final RunProgress start;
  private final BlockingQueue<MicroBatch> free = new ArrayBlockingQueue<>(READ_AHEAD);
  private final BlockingQueue<Read> ready = new ArrayBlockingQueue<>(READ_AHEAD + 1);
  private final Thread thread;

  /** What the reading thread hands over: a micro-batch, or why there are no more. */
  private record Read(MicroBatch batch, Throwable failure) {}

  MicroBatchReader(
      Samples samples, TrainingConfiguration training, List<Integer> leaves, RunProgress start) {
    this.samples = samples;
    this.training = training;
    this.leaves = leaves;
    this.start = start;
    for (int i = 0; i < READ_AHEAD; i++) {
      free.add(new MicroBatch(training.microBatchSize(), samples));
    }
    this.thread = new Thread(this::readAll, "sparkformer-read-ahead");
    thread.setDaemon(true);
  }

  MicroBatchReader start() {
    thread.start();
    return this;
  }

  /**
   * The next micro-batch, in the order of steps and leaves; to be given back through {@link
   * #recycle}.
   *
   * @throws IOException if the tokens cannot be read; an {@link Error} of the thread that reads
   *     them comes as it is
   */
  MicroBatch next() throws IOException, InterruptedException {
    Read read = ready.take();
    if (read.failure() instanceof Error error) {
      throw error;
    }
    if (read.failure() != null) {
      throw new IOException(
          "cannot read training tokens from " + samples.dataset().uri() + ": " + read.failure(),
          read.failure());
    }
    return read.batch();
  }

  void recycle(MicroBatch batch) {
    free.add(batch);
  }

  private void readAll() {
    try {
      for (int step = start.step(); step < training.steps(); step++) {
        if (start.isSkipped(step + 1)) {
          continue;
        }
        readAll(step);
        if (training.checksGradients(step + 1)) {
          readAll(step);
        }
      }
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
    } catch (Throwable failure) {
      // Errors too: memory may be out, or a mapped file cut short, and whoever waits must hear it.
      ready.add(new Read(null, failure));
    }
  }

  private void readAll(int step) throws IOException, InterruptedException {
    for (int leaf : leaves) {
      MicroBatch batch = free.take();
      read(batch, step, leaf);
      ready.add(new Read(batch, null));
    }
  }

  private void read(MicroBatch batch, int step, int leaf) throws IOException {
    batch.clear();
    long first = (long) step * training.batchSize() + (long) leaf * training.microBatchSize();
    for (int i = 0; i < training.microBatchSize(); i++) {
      samples.read(first + i, batch.sequence());
      batch.add();
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
