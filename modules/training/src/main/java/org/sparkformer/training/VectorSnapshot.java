package org.sparkformer.training;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.sparkformer.models.safetensors.SafetensorsWriter;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;

/**
 * An fp32 vector of the device as it was at one moment, of any length, to be written beside
 * training. The file's thread reads it from the device piece by piece, for as long as it stays as
 * it was; what is still unread when it is about to change is copied to host memory. So host memory
 * is taken only where the file system is slower than a step's passes, and kept for the next time.
 *
 * <p>One thread takes and detaches, another writes, in rising order of elements.
 */
final class VectorSnapshot {
  /** Floats in a piece: 16 MiB. */
  private static final int PIECE = 1 << 22;

  private final Backend backend;
  private final Tensor vector;
  private final int pieceFloats;
  private final ByteBuffer[] copies;
  private ByteBuffer passing;
  private int unread;
  private boolean onDevice;

  VectorSnapshot(Backend backend, Tensor vector) {
    this(backend, vector, PIECE);
  }

  VectorSnapshot(Backend backend, Tensor vector, int pieceFloats) {
    this.backend = backend;
    this.vector = vector;
    this.pieceFloats = pieceFloats;
    long pieces = (vector.size() + pieceFloats - 1) / pieceFloats;
    this.copies = new ByteBuffer[Math.toIntExact(pieces)];
    this.unread = copies.length;
  }

  /** The vector as it is now. The device must have computed it, and the last one be written. */
  synchronized void take() {
    unread = 0;
    onDevice = true;
  }

  /** Whether there are elements to be written that only the device has. */
  synchronized boolean needsDevice() {
    return onDevice && unread < copies.length;
  }

  /** Copies what needs the device; to be called before the vector is changed. */
  synchronized void detach() {
    for (int index = unread; onDevice && index < copies.length; index++) {
      Tensor piece = piece(index);
      if (copies[index] == null) {
        copies[index] = direct(piece);
      }
      backend.read(piece, copies[index].clear());
    }
    onDevice = false;
  }

  /** Writes a range of the vector, behind all written before, as the next elements of a tensor. */
  void write(SafetensorsWriter writer, String tensor, long first, long count) throws IOException {
    for (long at = first; at < first + count; ) {
      ByteBuffer bytes = bytes((int) (at / pieceFloats));
      int from = (int) (at % pieceFloats);
      int length = (int) Math.min(first + count - at, pieceFloats - from);
      writer.writeFloats(tensor, bytes.asFloatBuffer().slice(from, length));
      at += length;
    }
  }

  private synchronized ByteBuffer bytes(int index) {
    if (index >= unread && !onDevice) {
      return copies[index].clear();
    }
    if (index >= unread) {
      Tensor piece = piece(index);
      if (passing == null) {
        passing = direct(piece);
      }
      backend.readBeside(piece, passing.clear().limit((int) piece.bytes()));
      unread = index + 1;
    }
    if (index != unread - 1) {
      throw new IllegalStateException("piece " + index + " has passed; " + unread + " is next");
    }
    return passing.rewind();
  }

  private Tensor piece(int index) {
    long first = (long) index * pieceFloats;
    return vector.view(first, Math.min(pieceFloats, vector.size() - first));
  }

  private static ByteBuffer direct(Tensor piece) {
    return ByteBuffer.allocateDirect((int) piece.bytes()).order(ByteOrder.nativeOrder());
  }
}
