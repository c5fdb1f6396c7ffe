package org.sparkformer.models.safetensors;

import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;

/**
 * Writes a safetensors file front to back: the header first, then each tensor's data in the order
 * of the header, in as many pieces as the caller likes; so any stream will do, of any length.
 */
public final class SafetensorsWriter implements Closeable {
  private static final int CHUNK_BYTES = 1 << 16;

  private final String file;
  private final SafetensorsHeader header;
  private final WritableByteChannel channel;
  private final ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private long written;
  private int current;

  /**
   * Writes the header.
   *
   * @param file name of the file, for messages
   * @param out closed with the writer; also where the header cannot be written
   */
  public SafetensorsWriter(String file, OutputStream out, SafetensorsHeader header)
      throws IOException {
    this.file = file;
    this.header = header;
    this.channel = Channels.newChannel(out);
    try {
      byte[] text = HeaderJson.write(header);
      channel.write(chunk.putLong(text.length).flip());
      channel.write(ByteBuffer.wrap(text));
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  /**
   * Writes the next bytes of a tensor, which are in file order (little-endian).
   *
   * @throws SafetensorsException if it is not this tensor's turn, or it has no room left
   */
  public void writeBytes(String name, ByteBuffer data) throws IOException {
    TensorEntry entry = turn(name);
    long room = entry.end() - written;
    if (data.remaining() > room) {
      throw new SafetensorsException(
          file, name, "has room for " + room + " more bytes, given " + data.remaining());
    }
    written += data.remaining();
    while (data.hasRemaining()) {
      channel.write(data);
    }
  }

  /** Writes the next elements of an F32 tensor. */
  public void writeFloats(String name, FloatBuffer values) throws IOException {
    if (turn(name).type() != ElementType.F32) {
      throw new SafetensorsException(file, name, "is declared " + turn(name).type() + ", not F32");
    }
    while (values.hasRemaining()) {
      int count = Math.min(values.remaining(), CHUNK_BYTES / Float.BYTES);
      chunk.clear().asFloatBuffer().put(values.slice(values.position(), count));
      values.position(values.position() + count);
      writeBytes(name, chunk.limit(count * Float.BYTES));
    }
  }

  private TensorEntry turn(String name) throws SafetensorsException {
    while (current < header.entries().size() && isFull(current, name)) {
      current++;
    }
    TensorEntry entry = current == header.entries().size() ? null : header.entries().get(current);
    if (entry == null || !entry.name().equals(name)) {
      throw new SafetensorsException(
          file, name, "written out of turn; next is " + (entry == null ? "nothing" : entry.name()));
    }
    return entry;
  }

  private boolean isFull(int index, String wanted) {
    TensorEntry entry = header.entries().get(index);
    return entry.end() == written && !entry.name().equals(wanted);
  }

  /**
   * Checks that every tensor is complete; to be called before {@link #close} where all went well.
   *
   * @throws SafetensorsException if data is missing
   */
  public void finish() throws SafetensorsException {
    if (written != header.dataBytes()) {
      throw new SafetensorsException(
          file,
          null,
          "incomplete: " + written + " of " + header.dataBytes() + " data bytes were written");
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
