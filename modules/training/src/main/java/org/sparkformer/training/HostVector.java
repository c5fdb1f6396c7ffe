package org.sparkformer.training;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import org.sparkformer.models.safetensors.SafetensorsWriter;

/** A copy of an fp32 vector in host memory, of any length, to be written beside training. */
final class HostVector {
  /** Floats in a piece: 256 MiB. */
  private static final int PIECE = 1 << 26;

  private final List<ByteBuffer> pieces = new ArrayList<>();

  /**
   * @param size elements
   */
  HostVector(long size) {
    for (long first = 0; first < size; first += PIECE) {
      int count = (int) Math.min(PIECE, size - first);
      pieces.add(ByteBuffer.allocateDirect(count * Float.BYTES).order(ByteOrder.nativeOrder()));
    }
  }

  /** Takes a stretch of the vector. */
  void put(long first, ByteBuffer floats) {
    FloatBuffer values = floats.slice().order(floats.order()).asFloatBuffer();
    while (values.hasRemaining()) {
      long at = first + values.position();
      FloatBuffer piece = pieces.get((int) (at / PIECE)).clear().asFloatBuffer();
      int from = (int) (at % PIECE);
      int count = Math.min(values.remaining(), piece.capacity() - from);
      piece.put(from, values, values.position(), count);
      values.position(values.position() + count);
    }
  }

  /** Writes a range of the vector as the next elements of a tensor. */
  void write(SafetensorsWriter writer, String tensor, long first, long count) throws IOException {
    for (long at = first; at < first + count; ) {
      ByteBuffer piece = pieces.get((int) (at / PIECE));
      int from = (int) (at % PIECE);
      int length = (int) Math.min(first + count - at, PIECE - from);
      writer.writeFloats(tensor, piece.clear().asFloatBuffer().slice(from, length));
      at += length;
    }
  }
}
