package org.sparkformer.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;

/**
 * What tokenizing a slice wrote.
 *
 * @param splits the parts that hold tokens
 */
public record EncodedSlice(
    int index, long documents, Map<Split, EncodedSplit> splits, long replacedCharacters) {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** One split's shard of a slice and the UTF-8 bytes of the text in it. */
  public record EncodedSplit(Shard shard, long textBytes) {}

  public EncodedSlice {
    splits = Map.copyOf(splits);
  }

  /** As JSON, in which results travel to the driver. */
  public String toJson() {
    try {
      return MAPPER.writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a result of plain values is always JSON", e);
    }
  }

  public static EncodedSlice parse(String json) {
    try {
      return MAPPER.readValue(json, EncodedSlice.class);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("not an encoded slice: " + json, e);
    }
  }
}
