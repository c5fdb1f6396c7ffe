package org.sparkformer.models.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sparkformer.tensor.Shape;

/**
 * The JSON text of a header, to and fro. Nothing in it is believed: types, shapes and offsets must
 * agree with each other and with the size of the file before anything of that size is allocated.
 */
final class HeaderJson {
  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  /** More axes than any tensor has, few enough to bound what a shape costs. */
  private static final int MOST_AXES = 64;

  private final String file;
  private final long dataBytes;
  private final List<TensorEntry> entries = new ArrayList<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();

  private HeaderJson(String file, long dataBytes) {
    this.file = file;
    this.dataBytes = dataBytes;
  }

  /** UTF-8 text of a header, padded with spaces so that the data starts on a multiple of 8. */
  static byte[] write(SafetensorsHeader header) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(bytes)) {
      json.writeStartObject();
      if (!header.metadata().isEmpty()) {
        json.writeObjectFieldStart(SafetensorsHeader.METADATA);
        for (Map.Entry<String, String> pair : header.metadata().entrySet()) {
          json.writeStringField(pair.getKey(), pair.getValue());
        }
        json.writeEndObject();
      }
      for (TensorEntry entry : header.entries()) {
        write(json, entry);
      }
      json.writeEndObject();
    }
    byte[] text = bytes.toByteArray();
    byte[] padded = Arrays.copyOf(text, (text.length + 7) / 8 * 8);
    Arrays.fill(padded, text.length, padded.length, (byte) ' ');
    return padded;
  }

  private static void write(JsonGenerator json, TensorEntry entry) throws IOException {
    json.writeObjectFieldStart(entry.name());
    json.writeStringField("dtype", entry.type().name());
    json.writeArrayFieldStart("shape");
    for (int axis = 0; axis < entry.shape().rank(); axis++) {
      json.writeNumber(entry.shape().extent(axis));
    }
    json.writeEndArray();
    json.writeArrayFieldStart("data_offsets");
    json.writeNumber(entry.begin());
    json.writeNumber(entry.end());
    json.writeEndArray();
    json.writeEndObject();
  }

  /**
   * @param dataBytes bytes that the file holds after its header
   */
  static SafetensorsHeader read(byte[] text, String file, long dataBytes)
      throws SafetensorsException {
    HeaderJson reading = new HeaderJson(file, dataBytes);
    try (JsonParser json = JSON.createParser(decode(text, file))) {
      reading.readObject(json);
    } catch (JsonProcessingException e) {
      throw new SafetensorsException(
          file, null, "the header is not valid JSON: " + e.getOriginalMessage(), e);
    } catch (SafetensorsException e) {
      throw e;
    } catch (IOException e) {
      throw new SafetensorsException(file, null, "the header cannot be read", e);
    }
    return reading.checked();
  }

  private static String decode(byte[] text, String file) throws SafetensorsException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text)).toString();
    } catch (CharacterCodingException e) {
      throw new SafetensorsException(file, null, "the header is not valid UTF-8", e);
    }
  }

  private void readObject(JsonParser json) throws IOException {
    expect(json.nextToken() == JsonToken.START_OBJECT, null, "the header is not a JSON object");
    for (String key = json.nextFieldName(); key != null; key = json.nextFieldName()) {
      json.nextToken();
      if (key.equals(SafetensorsHeader.METADATA)) {
        readMetadata(json);
      } else {
        readTensor(json, key);
      }
    }
    expect(json.nextToken() == null, null, "text follows the header's object");
  }

  private void readMetadata(JsonParser json) throws IOException {
    String key = SafetensorsHeader.METADATA;
    expect(json.currentToken() == JsonToken.START_OBJECT, key, "not an object");
    for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
      expect(json.nextToken() == JsonToken.VALUE_STRING, key, name + " is not a string");
      metadata.put(name, json.getText());
    }
  }

  private void readTensor(JsonParser json, String key) throws IOException {
    expect(json.currentToken() == JsonToken.START_OBJECT, key, "not an object");
    ElementType type = null;
    long[] shape = null;
    long[] offsets = null;
    for (String field = json.nextFieldName(); field != null; field = json.nextFieldName()) {
      json.nextToken();
      switch (field) {
        case "dtype" -> type = readType(json, key);
        case "shape" -> shape = readNumbers(json, key, field);
        case "data_offsets" -> offsets = readNumbers(json, key, field);
        default -> expect(false, key, "unknown field " + field);
      }
    }
    expect(type != null, key, "dtype is missing");
    expect(shape != null, key, "shape is missing");
    expect(offsets != null, key, "data_offsets is missing");
    expect(offsets.length == 2, key, "data_offsets must be a begin and an end");
    addEntry(new TensorEntry(key, type, shape(shape, key), offsets[0]), offsets[1]);
  }

  private ElementType readType(JsonParser json, String key) throws IOException {
    expect(json.currentToken() == JsonToken.VALUE_STRING, key, "dtype is not a string");
    String name = json.getText();
    return ElementType.named(name)
        .orElseThrow(
            () ->
                new SafetensorsException(
                    file,
                    key,
                    "unknown dtype " + name + "; known: " + Arrays.toString(ElementType.values())));
  }

  private long[] readNumbers(JsonParser json, String key, String field) throws IOException {
    expect(json.currentToken() == JsonToken.START_ARRAY, key, field + " is not an array");
    long[] numbers = new long[MOST_AXES];
    int count = 0;
    while (json.nextToken() != JsonToken.END_ARRAY) {
      boolean integer = json.currentToken() == JsonToken.VALUE_NUMBER_INT;
      expect(integer, key, field + " holds " + json.getText() + ", not an integer");
      expect(count < MOST_AXES, key, field + " has more than " + MOST_AXES + " numbers");
      numbers[count] = json.getLongValue();
      expect(numbers[count] >= 0, key, field + " holds a negative number");
      count++;
    }
    return Arrays.copyOf(numbers, count);
  }

  private Shape shape(long[] extents, String key) throws SafetensorsException {
    try {
      return Shape.of(extents);
    } catch (ArithmeticException e) {
      throw new SafetensorsException(
          file, key, "shape " + Arrays.toString(extents) + " overflows", e);
    }
  }

  private void addEntry(TensorEntry entry, long end) throws SafetensorsException {
    String key = entry.name();
    long begin = entry.begin();
    expect(
        begin <= end && end <= dataBytes,
        key,
        "data_offsets [" + begin + ", " + end + "] leave the file's " + dataBytes + " data bytes");
    // Dividing, since a hostile shape times its element size may overflow.
    long length = end - begin;
    int size = entry.type().bytes();
    expect(
        length % size == 0 && length / size == entry.shape().size(),
        key,
        entry.type() + " " + entry.shape() + " does not take " + length + " bytes");
    entries.add(entry);
  }

  /** Tensors in the order of their data, which must cover the file without gaps or overlaps. */
  private SafetensorsHeader checked() throws SafetensorsException {
    entries.sort(Comparator.comparingLong(TensorEntry::begin).thenComparingLong(TensorEntry::end));
    long position = 0;
    for (TensorEntry entry : entries) {
      String problem = entry.begin() < position ? "overlaps other data" : "follows a gap";
      expect(
          entry.begin() == position,
          entry.name(),
          problem + ": begins at byte " + entry.begin() + ", expected " + position);
      position = entry.end();
    }
    long behind = dataBytes - position;
    expect(behind == 0, null, behind + " bytes at the end of the file belong to no tensor");
    return new SafetensorsHeader(entries, metadata);
  }

  private void expect(boolean holds, String key, String problem) throws SafetensorsException {
    if (!holds) {
      throw new SafetensorsException(file, key, problem);
    }
  }
}
