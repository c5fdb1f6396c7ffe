package org.sparkformer.models.safetensors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.tensor.Shape;

class SafetensorsTest {
  private static final SafetensorsHeader HEADER =
      new SafetensorsHeader.Builder()
          .metadata("format", "pt")
          .metadata("quote \" and \n", "é")
          .tensor("a.weight", ElementType.F32, Shape.of(3, 7))
          .tensor("none", ElementType.F32, Shape.of(0, 5))
          .tensor("größe/π", ElementType.BF16, Shape.of(5))
          .tensor("scalar", ElementType.F32, Shape.of())
          .build();

  @TempDir Path folder;

  @Test
  void readsBackWhatItWrote() throws IOException {
    Path file = folder.resolve("a.safetensors");
    float[] values = new float[21];
    for (int i = 0; i < values.length; i++) {
      values[i] = i / 3f;
    }
    try (SafetensorsWriter writer =
        new SafetensorsWriter(file.toString(), Files.newOutputStream(file), HEADER)) {
      writer.writeFloats("a.weight", FloatBuffer.wrap(values, 0, 10));
      writer.writeFloats("a.weight", FloatBuffer.wrap(values, 10, 11));
      writer.writeBytes("größe/π", ByteBuffer.wrap(new byte[] {0, 0, 0, 0, -128, 63, 0, 0, 0, 0}));
      writer.writeFloats("scalar", FloatBuffer.wrap(new float[] {Float.MIN_VALUE}));
      writer.finish();
    }
    try (SafetensorsReader reader = SafetensorsReader.open(file)) {
      assertEquals(HEADER, reader.header());
      assertArrayEquals(values, floats(reader, "a.weight"));
      assertArrayEquals(new float[] {0, 0, 1, 0, 0}, floats(reader, "größe/π"));
      assertArrayEquals(new float[] {Float.MIN_VALUE}, floats(reader, "scalar"));
      assertArrayEquals(new float[0], floats(reader, "none"));
    }
  }

  @Test
  void startsDataOnAMultipleOfEightBytes() throws IOException {
    for (int length = 0; length < 9; length++) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      SafetensorsHeader header =
          new SafetensorsHeader.Builder()
              .tensor("x".repeat(length), ElementType.U8, Shape.of(0))
              .build();
      try (SafetensorsWriter writer = new SafetensorsWriter("memory", out, header)) {
        writer.finish();
      }
      assertEquals(0, out.size() % 8);
    }
  }

  @Test
  void readsAFileOfThePythonLibrary() throws IOException, URISyntaxException {
    Path file = Path.of(SafetensorsTest.class.getResource("python.safetensors").toURI());
    try (SafetensorsReader reader = SafetensorsReader.open(file)) {
      assertEquals(Map.of("format", "pt", "note", "tab\tquote\" é"), reader.header().metadata());
      assertEquals(8, reader.header().entries().size());
      assertEquals(Shape.of(2, 3), reader.entry("matrix").shape());
      assertArrayEquals(new float[] {0, .25f, .5f, .75f, 1, 1.25f}, floats(reader, "matrix"));
      assertArrayEquals(new float[] {-1.5f}, floats(reader, "scalar"));
      assertArrayEquals(new float[0], floats(reader, "empty"));
      assertArrayEquals(new float[] {1}, floats(reader, "größe/π"));
      float infinity = Float.POSITIVE_INFINITY;
      assertArrayEquals(
          new float[] {0x1.004p0f, -0x1p-24f, 65504, -infinity, Float.NaN, -0f},
          floats(reader, "halves"));
      assertArrayEquals(
          new float[] {1, -0x1p-133f, 0x1.fp127f, infinity, -0f}, floats(reader, "brains"));
      ByteBuffer flags = ByteBuffer.allocate(2);
      reader.readBytes(reader.entry("flags"), 1, flags);
      assertArrayEquals(new byte[] {0, 1}, flags.array());
    }
  }

  @Test
  void refusesToWidenIntegers() throws IOException, URISyntaxException {
    Path file = Path.of(SafetensorsTest.class.getResource("python.safetensors").toURI());
    try (SafetensorsReader reader = SafetensorsReader.open(file)) {
      SafetensorsException error =
          assertThrows(SafetensorsException.class, () -> floats(reader, "counts"));
      assertEquals("counts", error.key());
      assertTrue(error.getMessage().contains("I64"), error.getMessage());
    }
  }

  @Test
  void namesFileAndKeyOfAMissingTensor() throws IOException, URISyntaxException {
    Path file = Path.of(SafetensorsTest.class.getResource("python.safetensors").toURI());
    try (SafetensorsReader reader = SafetensorsReader.open(file)) {
      assertFalse(reader.contains("matrix2"));
      SafetensorsException error =
          assertThrows(SafetensorsException.class, () -> reader.entry("matrix2"));
      assertEquals(file.toString(), error.file());
      assertEquals("matrix2", error.key());
    }
  }

  @Test
  void readsPastTwoGibibytesOfASparseFile() throws IOException {
    Path file = folder.resolve("large.safetensors");
    long elements = (3L << 30) / 4;
    SafetensorsHeader header =
        new SafetensorsHeader.Builder()
            .tensor("large", ElementType.F32, Shape.of(3, elements / 3))
            .tensor("last", ElementType.F32, Shape.of(1))
            .build();
    byte[] text = HeaderJson.write(header);
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.writeLong(Long.reverseBytes(text.length));
      sparse.write(text);
      sparse.seek(sparse.getFilePointer() + elements * 4 - 4);
      sparse.writeInt(Integer.reverseBytes(Float.floatToIntBits(7)));
      sparse.writeInt(Integer.reverseBytes(Float.floatToIntBits(8)));
    }
    try (SafetensorsReader reader = SafetensorsReader.open(file)) {
      FloatBuffer two = FloatBuffer.allocate(2);
      reader.readFloats(reader.entry("large"), elements - 2, two);
      assertArrayEquals(new float[] {0, 7}, two.array());
      assertArrayEquals(new float[] {8}, floats(reader, "last"));
    }
  }

  @Test
  void writesPastTwoGibibytes() throws IOException {
    long[] bytes = new long[1];
    OutputStream counting =
        new OutputStream() {
          @Override
          public void write(int one) {
            bytes[0]++;
          }

          @Override
          public void write(byte[] many, int offset, int length) {
            bytes[0] += length;
          }
        };
    long size = (1L << 31) + 4096;
    SafetensorsHeader header =
        new SafetensorsHeader.Builder().tensor("large", ElementType.U8, Shape.of(size)).build();
    ByteBuffer zeros = ByteBuffer.allocate(1 << 26);
    try (SafetensorsWriter writer = new SafetensorsWriter("counted", counting, header)) {
      for (long left = size; left > 0; left -= zeros.limit()) {
        writer.writeBytes("large", zeros.clear().limit((int) Math.min(left, zeros.capacity())));
      }
      writer.finish();
    }
    assertEquals(8 + HeaderJson.write(header).length + size, bytes[0]);
  }

  @Test
  void refusesIncompleteExcessiveAndDisorderlyWriting() throws IOException {
    try (SafetensorsWriter writer =
        new SafetensorsWriter("memory", new ByteArrayOutputStream(), HEADER)) {
      assertThrows(SafetensorsException.class, writer::finish);
      assertThrows(
          SafetensorsException.class, () -> writer.writeFloats("scalar", FloatBuffer.allocate(1)));
      assertThrows(
          SafetensorsException.class,
          () -> writer.writeFloats("a.weight", FloatBuffer.allocate(22)));
    }
  }

  @Test
  void refusesToDeclareANameTwice() {
    SafetensorsHeader.Builder twice =
        new SafetensorsHeader.Builder()
            .tensor("a", ElementType.F32, Shape.of(1))
            .tensor("a", ElementType.F32, Shape.of(1));
    assertThrows(IllegalArgumentException.class, twice::build);
    List<TensorEntry> gap = List.of(new TensorEntry("a", ElementType.F32, Shape.of(1), 4));
    assertThrows(IllegalArgumentException.class, () -> new SafetensorsHeader(gap, Map.of()));
  }

  private static float[] floats(SafetensorsReader reader, String name) throws IOException {
    TensorEntry entry = reader.entry(name);
    FloatBuffer values = FloatBuffer.allocate((int) entry.shape().size());
    reader.readFloats(entry, 0, values);
    return values.array();
  }
}
