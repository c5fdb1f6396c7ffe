package org.sparkformer.models.safetensors;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.testkit.AllocationLimit;

/** Any bytes are read as a safetensors file or refused by the one declared exception. */
class SafetensorsFuzzTest {

  static Stream<byte[]> files() throws IOException {
    try (InputStream in = SafetensorsTest.class.getResourceAsStream("python.safetensors")) {
      return Stream.of(
          in.readAllBytes(),
          file("{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}", 8),
          file("{\"__metadata__\":{\"format\":\"pt\"}}", 0),
          new byte[] {-1, -1, -1, -1, -1, -1, -1, 127, '{', '}'});
    }
  }

  @MethodSource("files")
  @FuzzTest
  void isReadOrRefused(byte[] file) throws Exception {
    AllocationLimit.within(
        file.length,
        () -> {
          try {
            readAll(file);
          } catch (SafetensorsException declared) {
            return null;
          }
          return null;
        });
  }

  private static void readAll(byte[] file) throws IOException {
    try (SafetensorsReader reader = SafetensorsReader.open(new MemoryFile(file))) {
      for (TensorEntry entry : reader.header().entries()) {
        int bytes = Math.toIntExact(entry.bytes());
        reader.readBytes(entry, 0, ByteBuffer.allocate(bytes));
        int some = (int) Math.min(2, entry.shape().size());
        reader.readFloats(entry, 0, FloatBuffer.allocate(some));
      }
    }
  }

  private static byte[] file(String header, int dataBytes) {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + text.length + dataBytes)
        .order(java.nio.ByteOrder.LITTLE_ENDIAN)
        .putLong(text.length)
        .put(text)
        .array();
  }
}
