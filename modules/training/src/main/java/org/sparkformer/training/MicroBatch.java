package org.sparkformer.training;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Tokens and targets of some sequences in host memory, int32 [B, T] each. */
final class MicroBatch {
  private final int context;
  private final int[] window;
  private final ByteBuffer tokens;
  private final ByteBuffer targets;
  private int sequences;

  MicroBatch(int capacity, int context) {
    this.context = context;
    this.window = new int[context + 1];
    this.tokens = buffer(capacity);
    this.targets = buffer(capacity);
  }

  private ByteBuffer buffer(int capacity) {
    int bytes = Math.multiplyExact(Math.multiplyExact(capacity, context), Integer.BYTES);
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  void clear() {
    sequences = 0;
  }

  /** Room for one window of context + 1 tokens, to be filled before {@link #add}. */
  int[] window() {
    return window;
  }

  /** Appends the window: its first tokens as inputs, its last as targets. */
  void add() {
    int at = sequences * context * Integer.BYTES;
    tokens
        .clear()
        .position(at)
        .slice()
        .order(ByteOrder.nativeOrder())
        .asIntBuffer()
        .put(window, 0, context);
    targets
        .clear()
        .position(at)
        .slice()
        .order(ByteOrder.nativeOrder())
        .asIntBuffer()
        .put(window, 1, context);
    sequences++;
  }

  /** B. */
  int sequences() {
    return sequences;
  }

  /** The tokens, ready to be read. */
  ByteBuffer tokens() {
    return tokens.clear().limit(sequences * context * Integer.BYTES);
  }

  /** The targets, ready to be read. */
  ByteBuffer targets() {
    return targets.clear().limit(sequences * context * Integer.BYTES);
  }
}
