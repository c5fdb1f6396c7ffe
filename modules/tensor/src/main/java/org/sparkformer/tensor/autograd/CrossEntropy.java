package org.sparkformer.tensor.autograd;

import java.util.List;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Functions.Linear;
import org.sparkformer.tensor.autograd.Functions.Targets;
import org.sparkformer.tensor.ops.SoftmaxCrossEntropy;
import org.sparkformer.tensor.ops.TopHits;

/** The last layer and its loss, a chunk of rows at a time. */
final class CrossEntropy {
  /** Most logits held at once; the vocabulary projection goes over the rows in chunks of this. */
  private static final long AT_ONCE = 1L << 25;

  /**
   * The same of an accelerator, whose many compute units few rows would leave idle: 16,384 rows of
   * GPT-2's vocabulary are three chunks, whose gradients of rows an H100 computes in one wave.
   */
  private static final long AT_ONCE_OF_ACCELERATORS = 9L << 25;

  private final Tape tape;
  private final Backend backend;
  private final AffineMaps maps;

  CrossEntropy(Tape tape) {
    this.tape = tape;
    this.backend = tape.backend();
    this.maps = new AffineMaps(tape);
  }

  void of(Variable hidden, Linear output, Targets targets) {
    int rows = hidden.value().rows();
    int chunk =
        logitRows(rows, output.columns(), backend.isAccelerator(), backend.largestTensorBytes());
    Tensor dHidden = tape.recording() ? tape.gradientOf(hidden) : null;
    for (int first = 0; first < rows; first += chunk) {
      int count = Math.min(chunk, rows - first);
      Tensor part = hidden.value().rows(first, count);
      try (Tensor logits = maps.logits(count, output, targets.hits() != null)) {
        maps.forward(part, output, logits);
        score(logits, output.columns(), targets, first);
        if (tape.recording()) {
          maps.linearBackward(part, output, logits, dHidden.rows(first, count), false);
        }
      }
    }
    if (tape.recording()) {
      tape.record(List.of(), List.of(dHidden), () -> tape.contribute(hidden, dHidden.share()));
    }
  }

  /**
   * Losses and hits of rows from {@code first} on; logits become their gradients when recording.
   */
  private void score(Tensor logits, int columns, Targets targets, int first) {
    Tensor ids = targets.ids().view(first, logits.rows());
    if (targets.hits() != null) {
      backend.run(new TopHits(logits, ids, targets.hits().view(first, logits.rows())));
    }
    Tensor losses = targets.losses().view(first, logits.rows());
    backend.run(
        new SoftmaxCrossEntropy(logits, ids, losses, columns, targets.scale(), tape.recording()));
  }

  static int logitRows(int rows, int vocabulary, boolean accelerator, long largestTensorBytes) {
    long atOnce =
        accelerator ? Math.min(AT_ONCE_OF_ACCELERATORS, largestTensorBytes / Float.BYTES) : AT_ONCE;
    long most = Math.max(1, atOnce / vocabulary);
    long chunks = (rows + most - 1) / most;
    return (int) ((rows + chunks - 1) / chunks);
  }
}
