package org.sparkformer.training;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.sparkformer.data.Samples;
import org.sparkformer.data.Sequence;

/**
 * Some sequences in host memory: tokens int32 [B, T], targets int32 [B, P], and their rows in [B T]
 * likewise.
 */
final class MicroBatch {
  private final Sequence sequence;
  private final ByteBuffer tokens;
  private final ByteBuffer rows;
  private final ByteBuffer targets;
  private int sequences;

  MicroBatch(int capacity, Samples samples) {
    this.sequence = samples.sequence();
    this.tokens = buffer(capacity, samples.context());
    this.rows = buffer(capacity, samples.targets());
    this.targets = buffer(capacity, samples.targets());
  }

  private static ByteBuffer buffer(int capacity, int columns) {
    int bytes = Math.multiplyExact(Math.multiplyExact(capacity, columns), Integer.BYTES);
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  void clear() {
    sequences = 0;
    tokens.clear();
    rows.clear();
    targets.clear();
  }

  /** Room for one sequence, to be filled before {@link #add}. */
  Sequence sequence() {
    return sequence;
  }

  /** Appends the sequence. */
  void add() {
    int first = sequences * sequence.tokens().length;
    for (int token : sequence.tokens()) {
      tokens.putInt(token);
    }
    for (int position : sequence.positions()) {
      rows.putInt(first + position);
    }
    for (int target : sequence.targets()) {
      targets.putInt(target);
    }
    sequences++;
  }

  /** B. */
  int sequences() {
    return sequences;
  }

  /** The tokens, ready to be read. */
  ByteBuffer tokens() {
    return filled(tokens);
  }

  /** The rows of what is to be predicted, ready to be read. */
  ByteBuffer rows() {
    return filled(rows);
  }

  /** The targets, ready to be read. */
  ByteBuffer targets() {
    return filled(targets);
  }

  private static ByteBuffer filled(ByteBuffer buffer) {
    return buffer.duplicate().order(ByteOrder.nativeOrder()).flip();
  }
}
