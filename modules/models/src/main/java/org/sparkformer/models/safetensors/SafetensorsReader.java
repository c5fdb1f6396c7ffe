package org.sparkformer.models.safetensors;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads a safetensors file (https://huggingface.co/docs/safetensors): 8 bytes of little-endian
 * header length, a JSON header, the data. Opening reads and checks the header; memory is bounded by
 * the header's size. Used by one thread at a time.
 */
public final class SafetensorsReader implements Closeable {
  /** Longest header accepted, in bytes, as in the reference implementation. */
  public static final long LONGEST_HEADER = 100_000_000;

  private static final int LENGTH_BYTES = 8;
  private static final int CHUNK_BYTES = 1 << 16;

  private final ByteSource source;
  private final long dataStart;
  private final SafetensorsHeader header;
  private final Map<String, TensorEntry> byName = new LinkedHashMap<>();

  private SafetensorsReader(ByteSource source, long dataStart, SafetensorsHeader header) {
    this.source = source;
    this.dataStart = dataStart;
    this.header = header;
    header.entries().forEach(entry -> byName.put(entry.name(), entry));
  }

  /** Opens a local file. */
  public static SafetensorsReader open(Path path) throws IOException {
    return open(ByteSource.open(path));
  }

  /**
   * Opens a file; the reader closes the source, also where opening fails.
   *
   * @throws SafetensorsException if the file breaks the format's rules
   */
  public static SafetensorsReader open(ByteSource source) throws IOException {
    try {
      long size = source.size();
      long headerBytes = headerBytes(source, size);
      ByteBuffer text = ByteBuffer.allocate((int) headerBytes);
      source.read(LENGTH_BYTES, text);
      long dataStart = LENGTH_BYTES + headerBytes;
      return new SafetensorsReader(
          source, dataStart, HeaderJson.read(text.array(), source.name(), size - dataStart));
    } catch (IOException e) {
      try {
        source.close();
      } catch (IOException onClose) {
        e.addSuppressed(onClose);
      }
      throw e;
    }
  }

  private static long headerBytes(ByteSource source, long size) throws IOException {
    if (size < LENGTH_BYTES) {
      throw new SafetensorsException(
          source.name(), null, "has " + size + " bytes, too few for a header's length");
    }
    ByteBuffer length = ByteBuffer.allocate(LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    source.read(0, length);
    long headerBytes = length.getLong(0);
    long most = Math.min(LONGEST_HEADER, size - LENGTH_BYTES);
    if (headerBytes < 0 || headerBytes > most) {
      throw new SafetensorsException(
          source.name(),
          null,
          "its header's length is "
              + Long.toUnsignedString(headerBytes)
              + " bytes, at most "
              + most
              + " are possible; not a safetensors file?");
    }
    return headerBytes;
  }

  /** Name of the file. */
  public String file() {
    return source.name();
  }

  public SafetensorsHeader header() {
    return header;
  }

  public boolean contains(String name) {
    return byName.containsKey(name);
  }

  /**
   * @throws SafetensorsException if the file holds no such tensor
   */
  public TensorEntry entry(String name) throws SafetensorsException {
    TensorEntry entry = byName.get(name);
    if (entry == null) {
      throw new SafetensorsException(file(), name, "the file holds no such tensor");
    }
    return entry;
  }

  /**
   * Fills the rest of a buffer with a tensor's bytes as they are in the file.
   *
   * @param first the first byte, counted from the tensor's start
   */
  public void readBytes(TensorEntry entry, long first, ByteBuffer destination) throws IOException {
    checkRange(entry, first, destination.remaining(), entry.bytes());
    try {
      source.read(dataStart + entry.begin() + first, destination);
    } catch (EOFException e) {
      throw new SafetensorsException(
          file(), entry.name(), "the file was cut short since it was opened", e);
    }
  }

  /**
   * Fills the rest of a buffer with a tensor's elements as fp32; F16 and BF16 are widened.
   *
   * @param first the first element, counted from the tensor's start
   * @throws SafetensorsException if the tensor has a type that does not widen to fp32
   */
  public void readFloats(TensorEntry entry, long first, FloatBuffer destination)
      throws IOException {
    ElementType type = entry.type();
    if (!type.widensToFloat()) {
      throw new SafetensorsException(
          file(), entry.name(), "is " + type + "; weights must be F32, F16 or BF16");
    }
    checkRange(entry, first, destination.remaining(), entry.shape().size());
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    long at = first;
    while (destination.hasRemaining()) {
      int count = Math.min(destination.remaining(), CHUNK_BYTES / type.bytes());
      readBytes(entry, at * type.bytes(), chunk.clear().limit(count * type.bytes()));
      chunk.flip();
      for (int i = 0; i < count; i++) {
        destination.put(type.nextFloat(chunk));
      }
      at += count;
    }
  }

  private void checkRange(TensorEntry entry, long first, long count, long size) {
    if (first < 0 || first + count > size) {
      throw new IllegalArgumentException(
          entry.name()
              + " has "
              + size
              + " elements or bytes, asked for "
              + count
              + " at "
              + first);
    }
  }

  @Override
  public void close() throws IOException {
    source.close();
  }
}
