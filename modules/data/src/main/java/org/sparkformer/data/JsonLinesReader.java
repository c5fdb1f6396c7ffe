package org.sparkformer.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;

/**
 * One field of each JSON object, one object a line. Blank lines are passed over; null is an empty
 * document.
 */
final class JsonLinesReader implements DocumentReader {
  private final LineReader lines;
  private final String field;
  private final ObjectMapper mapper =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
  private long replaced;
  private String text;

  JsonLinesReader(LineReader lines, String field) {
    this.lines = lines;
    this.field = field;
    // Documents may be longer than the parser's default limit of 20 million characters.
    mapper
        .getFactory()
        .setStreamReadConstraints(
            StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build());
  }

  @Override
  public boolean next() throws IOException {
    while (lines.next()) {
      String line = lines.read();
      if (!line.isBlank()) {
        String raw = field(line);
        replaced += WellFormed.unpaired(raw);
        text = WellFormed.text(raw);
        return true;
      }
    }
    return false;
  }

  private String field(String line) throws IOException {
    JsonNode object;
    try {
      object = mapper.readTree(line);
    } catch (JsonProcessingException e) {
      throw new IOException("not a JSON object: " + e.getOriginalMessage(), e);
    }
    JsonNode value = object.path(field);
    if (value.isNull()) {
      return "";
    }
    if (!value.isTextual()) {
      throw new IOException(
          "no text in the field '%s'; name the field that holds it".formatted(field));
    }
    return value.textValue();
  }

  @Override
  public String read() {
    String piece = text;
    text = null;
    return piece;
  }

  @Override
  public String place() {
    return lines.place();
  }

  @Override
  public long replacedCharacters() {
    return replaced + lines.replacedCharacters();
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}
