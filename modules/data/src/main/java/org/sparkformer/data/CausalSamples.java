package org.sparkformer.data;

import java.io.IOException;
import java.util.Arrays;

/**
 * The order in which training reads a split, for next-token prediction. A sample is a window of
 * {@code context + 1} tokens; inputs are its first, targets its last {@code context}.
 */
public record CausalSamples(TokenDataset dataset, Split split, int context, long seed)
    implements Samples {

  /**
   * @throws IllegalArgumentException if the split holds fewer than {@code context + 1} tokens
   */
  public CausalSamples {
    if (context < 1) {
      throw new IllegalArgumentException("context must be at least 1, not " + context);
    }
    long tokens = dataset.tokens(split);
    if (tokens < context + 1L) {
      throw new IllegalArgumentException(
          "the %s split of %s holds %,d tokens, too few for one window of model.context + 1 = %,d; "
                  .formatted(split.label(), dataset.uri(), tokens, context + 1L)
              + "add text, change the validation fraction, or lower model.context");
    }
  }

  private Windows windows() {
    return new Windows(dataset, split, context, context + 1, seed);
  }

  @Override
  public int targets() {
    return context;
  }

  /** Windows visited in one epoch: the same number in every epoch, at least one. */
  public long samplesPerEpoch() {
    return windows().perEpoch();
  }

  @Override
  public void read(long sample, Sequence into) throws IOException {
    readWindow(position(sample), into);
  }

  /** The position in the split of the first token of a sample. */
  public long position(long sample) {
    return windows().position(sample);
  }

  @Override
  public long evaluationWindows() {
    return windows().fixed();
  }

  @Override
  public void evaluationWindow(long index, long count, Sequence into) throws IOException {
    readWindow(windows().fixed(index, count) * context, into);
  }

  private void readWindow(long position, Sequence into) throws IOException {
    int[] window = new int[context + 1];
    windows().read(position, window, 0);
    System.arraycopy(window, 0, into.tokens(), 0, context);
    System.arraycopy(window, 1, into.targets(), 0, context);
    Arrays.setAll(into.positions(), i -> i);
  }
}
