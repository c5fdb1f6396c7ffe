package org.sparkformer.training;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.sparkformer.collective.Collective;
import org.sparkformer.collective.SummationTree;
import org.sparkformer.data.Samples;
import org.sparkformer.models.DropoutSites;
import org.sparkformer.models.LanguageModel;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Tape;
import org.sparkformer.training.configuration.TrainingConfiguration;

/**
 * Mean loss and accuracy over fixed windows spread evenly over a split: {@code eval_batches *
 * batch_size} of them, or as many as the split holds. Micro-batches are divided among the ranks and
 * their sums added along a tree of their own, so the number of ranks changes no bit.
 */
public final class Evaluator implements AutoCloseable {
  /** Kept of each micro-batch: loss and hits. */
  private static final int SUMS = 2;

  private final Backend backend;
  private final Samples samples;
  private final long windows;
  private final int microBatchSize;
  private final MicroBatch host;
  private final DeviceBatch device;
  private final BlockReduction reduction;

  /**
   * How well a model predicts.
   *
   * @param loss mean cross-entropy of a target, in nats
   * @param accuracy share of the targets that are the model's likeliest token
   */
  public record Scores(double loss, double accuracy) {}

  Evaluator(Backend backend, Samples samples, TrainingConfiguration training) {
    this(
        backend,
        samples,
        (long) training.evalBatches() * training.batchSize(),
        training.microBatchSize());
  }

  /**
   * @param windows the most to take; those of the whole split where it has fewer
   * @param microBatchSize of them in a forward pass
   */
  public Evaluator(Backend backend, Samples samples, long windows, int microBatchSize) {
    this.backend = backend;
    this.samples = samples;
    this.windows = Math.min(windows, samples.evaluationWindows());
    this.microBatchSize = microBatchSize;
    this.host = new MicroBatch(microBatchSize, samples);
    this.device = new DeviceBatch(backend, microBatchSize, samples, true);
    this.reduction = new BlockReduction(backend, (long) microBatchSize * samples.targets());
  }

  /**
   * The same on every rank.
   *
   * @param model only its forward pass is used, as often on every rank
   */
  public Scores scores(LanguageModel model, Collective collective) throws IOException {
    return scores(model, collective, StepActivity.unwatched());
  }

  /**
   * @param activity told what is evaluated
   */
  Scores scores(LanguageModel model, Collective collective, StepActivity activity)
      throws IOException {
    int leaves = Math.toIntExact((windows + microBatchSize - 1) / microBatchSize);
    int from = (int) ((long) leaves * collective.rank() / collective.size());
    int to = (int) ((long) leaves * (collective.rank() + 1) / collective.size());
    // As many passes on each rank, for the ranks may need one another's weights in each of them.
    int most = (leaves + collective.size() - 1) / collective.size();
    int[] chosen =
        IntStream.range(from, from + most).map(leaf -> Math.min(leaf, leaves - 1)).toArray();
    float[] own = Arrays.copyOf(leafSums(model, chosen, activity), SUMS * (to - from));
    double[] losses = new double[leaves];
    double[] hits = new double[leaves];
    gather(collective.allGather(bytes(own)), losses, hits);
    SummationTree tree = new SummationTree(leaves);
    double targets = (double) windows * samples.targets();
    return new Scores(tree.sum(losses) / targets, tree.sum(hits) / targets);
  }

  /** Of each micro-batch the sum of the losses, then the number of hits. */
  private float[] leafSums(LanguageModel model, int[] leaves, StepActivity activity)
      throws IOException {
    RunAhead ahead = new RunAhead(backend, activity);
    try (Tensor slots = backend.floats((long) SUMS * leaves.length)) {
      for (int i = 0; i < leaves.length; i++) {
        activity.begin("evaluation of micro-batch " + leaves[i]);
        read(leaves[i]);
        device.upload(host);
        try (Tape tape = new Tape(backend, false)) {
          model.loss(tape, device.batch(), 1f, DropoutSites.NONE);
        }
        reduction.run(device.losses(), slots.view((long) SUMS * i, 1), false);
        reduction.run(device.batch().hits(), slots.view((long) SUMS * i + 1, 1), false);
        ahead.queued();
      }
      return backend.readFloats(slots);
    }
  }

  private void read(int leaf) throws IOException {
    host.clear();
    long first = (long) leaf * microBatchSize;
    for (long window = first; window < Math.min(windows, first + microBatchSize); window++) {
      samples.evaluationWindow(window, windows, host.sequence());
      host.add();
    }
  }

  private static byte[] bytes(float[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }

  private static void gather(List<byte[]> parts, double[] losses, double[] hits) {
    int at = 0;
    for (byte[] part : parts) {
      for (ByteBuffer bytes = ByteBuffer.wrap(part); bytes.hasRemaining(); at++) {
        losses[at] = bytes.getFloat();
        hits[at] = bytes.getFloat();
      }
    }
  }

  @Override
  public void close() {
    device.close();
    reduction.close();
  }
}
