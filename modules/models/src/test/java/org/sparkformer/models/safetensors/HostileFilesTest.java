package org.sparkformer.models.safetensors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files that break the format's rules end in the one declared exception and cost no memory. */
class HostileFilesTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "a | type | {'a':{'dtype':'F99','shape':[2],'data_offsets':[0,8]}} | unknown dtype F99",
        "a | type | {'a':{'dtype':7,'shape':[2],'data_offsets':[0,8]}} | dtype is not a string",
        "a | type | {'a':{'shape':[2],'data_offsets':[0,8]}} | dtype is missing",
        "a | type | {'a':{'dtype':'F32','data_offsets':[0,8]}} | shape is missing",
        "a | type | {'a':{'dtype':'F32','shape':[2]}} | data_offsets is missing",
        "a | type | {'a':{'dtype':'F32','shape':[2],'data_offsets':[0]}} | a begin and an end",
        "a | type | {'a':{'dtype':'F32','shape':[2],'data_offsets':[0,4,8]}} | a begin and an end",
        "a | size | {'a':{'dtype':'F32','shape':[3],'data_offsets':[0,8]}} | does not take 8 bytes",
        "a | size | {'a':{'dtype':'F32','shape':[],'data_offsets':[0,8]}} | does not take 8 bytes",
        "a | size | {'a':{'dtype':'U8','shape':[0],'data_offsets':[0,8]}} | does not take 8 bytes",
        "a | size | {'a':{'dtype':'I64','shape':[0],'data_offsets':[0,4]}} | does not take 4 bytes",
        "a | range | {'a':{'dtype':'F32','shape':[3],'data_offsets':[0,12]}} | leave the file's 8",
        "a | range | {'a':{'dtype':'F32','shape':[2],'data_offsets':[8,0]}} | leave the file's 8",
        "a | range | {'a':{'dtype':'F32','shape':[2],'data_offsets':[-8,0]}} | negative",
        "a | range | {'a':{'dtype':'F32','shape':[-2],'data_offsets':[0,8]}} | negative",
        "a | range | {'a':{'dtype':'F32','shape':[2.0],'data_offsets':[0,8]}} | not an integer",
        "a | range | {'a':{'dtype':'F32','shape':['2'],'data_offsets':[0,8]}} | not an integer",
        "a | range | {'a':{'dtype':'F32','shape':{},'data_offsets':[0,8]}} | not an array",
        "a | overflow | {'a':{'dtype':'F32','shape':[4294967296,4294967296],"
            + "'data_offsets':[0,8]}} | overflows",
        "a | overflow | {'a':{'dtype':'F32','shape':[4611686018427387906],"
            + "'data_offsets':[0,8]}} | does not take 8 bytes",
        "b | overlap | {'a':{'dtype':'U8','shape':[8],'data_offsets':[0,8]},"
            + "'b':{'dtype':'U8','shape':[4],'data_offsets':[4,8]}} | overlaps",
        "b | gap | {'a':{'dtype':'U8','shape':[2],'data_offsets':[0,2]},"
            + "'b':{'dtype':'U8','shape':[4],'data_offsets':[4,8]}} | gap",
        "a | gap | {'a':{'dtype':'U8','shape':[4],'data_offsets':[4,8]}} | gap",
        "    | rest | {'a':{'dtype':'U8','shape':[4],'data_offsets':[0,4]}} | belong to no tensor",
        "    | rest | {} | belong to no tensor",
        "a | field | {'a':{'dtype':'U8','shape':[8],'data_offsets':[0,8],'x':1}} | unknown field x",
        "a | value | {'a':[]} | not an object",
        "__metadata__ | value | {'__metadata__':{'n':1}} | n is not a string",
        "__metadata__ | value | {'__metadata__':[]} | not an object",
        "    | json | [] | not a JSON object",
        "    | json | {'a' | not valid JSON",
        "    | json | {} {} | text follows",
        "    | twice | {'a':{'dtype':'U8','shape':[8],'data_offsets':[0,8]},"
            + "'a':{'dtype':'U8','shape':[8],'data_offsets':[0,8]}} | Duplicate",
        "    | twice | {'a':{'dtype':'U8','dtype':'U8','shape':[8],"
            + "'data_offsets':[0,8]}} | Duplicate",
        "    | twice | {'__metadata__':{'x':'1','x':'2'}} | Duplicate",
      })
  void refusesHeader(String key, String rule, String header, String complaint) {
    byte[] text = header.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    SafetensorsException error = refused(file(text.length, text, 8), rule);
    assertEquals(key, error.key());
    assertEquals(MemoryFile.NAME, error.file());
    assertTrue(error.getMessage().contains(complaint), error.getMessage());
  }

  @Test
  void refusesHeaderLengthsBeyondTheFileOrTheLimit() {
    byte[] text = "{}".getBytes(StandardCharsets.UTF_8);
    for (long length : new long[] {3, 1 << 20, 1L << 33, Long.MAX_VALUE, -1, Long.MIN_VALUE}) {
      String message = refused(file(length, text, 0), "length " + length).getMessage();
      assertTrue(message.contains("at most 2 are possible"), message);
    }
    SafetensorsException error = refused(new Endless(1L << 40, 1L << 39), "half a terabyte");
    assertTrue(error.getMessage().contains("at most 100000000"), error.getMessage());
  }

  @Test
  void refusesFilesTooShortForALength() {
    for (int size = 0; size < 8; size++) {
      refused(new MemoryFile(new byte[size]), size + " bytes");
    }
  }

  @Test
  void refusesTextThatIsNotUtf8() {
    refused(file(3, new byte[] {'{', (byte) 0xFF, '}'}, 0), "bad UTF-8");
    byte[] wide = "{}".getBytes(StandardCharsets.UTF_16LE);
    refused(file(wide.length, wide, 0), "UTF-16");
  }

  @Test
  void refusesDeepNesting() {
    byte[] deep = ("{\"a\":" + "[".repeat(100_000)).getBytes(StandardCharsets.UTF_8);
    refused(file(deep.length, deep, 0), "deep");
    byte[] axes =
        ("{\"a\":{\"dtype\":\"U8\",\"shape\":[" + "1,".repeat(100_000) + "1]}}")
            .getBytes(StandardCharsets.UTF_8);
    refused(file(axes.length, axes, 0), "many axes");
  }

  @Test
  void everyDamagedByteAndEveryTruncationIsReadOrRefused() throws IOException {
    byte[] whole;
    try (InputStream in = SafetensorsTest.class.getResourceAsStream("python.safetensors")) {
      whole = in.readAllBytes();
    }
    for (int at = 0; at < whole.length; at++) {
      for (int bit = 0; bit < 8; bit++) {
        byte[] damaged = whole.clone();
        damaged[at] ^= (byte) (1 << bit);
        readOrRefuse(damaged);
      }
      byte[] cut = Arrays.copyOf(whole, at);
      refused(new MemoryFile(cut), "cut at " + at);
    }
  }

  private static void readOrRefuse(byte[] bytes) throws IOException {
    try (SafetensorsReader reader = SafetensorsReader.open(new MemoryFile(bytes))) {
      for (TensorEntry entry : reader.header().entries()) {
        reader.readBytes(entry, 0, ByteBuffer.allocate((int) entry.bytes()));
      }
    } catch (SafetensorsException refused) {
      assertEquals(MemoryFile.NAME, refused.file());
    }
  }

  private static SafetensorsException refused(ByteSource source, String what) {
    return assertThrows(
        SafetensorsException.class, () -> SafetensorsReader.open(source).close(), what);
  }

  private static MemoryFile file(long length, byte[] text, int dataBytes) {
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + text.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    return new MemoryFile(bytes.putLong(length).put(text).array());
  }

  /** A file of any size that repeats one number. */
  private record Endless(long size, long number) implements ByteSource {
    @Override
    public String name() {
      return "endless";
    }

    @Override
    public void read(long position, ByteBuffer destination) {
      while (destination.hasRemaining()) {
        destination.putLong(number);
      }
    }

    @Override
    public void close() {}
  }
}
