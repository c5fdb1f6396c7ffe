package org.sparkformer.models.safetensors;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.sparkformer.tensor.Shape;

/**
 * What a file holds: its tensors in the order of their data, which has no gaps and no overlaps, and
 * free text under free keys.
 */
public record SafetensorsHeader(List<TensorEntry> entries, Map<String, String> metadata) {
  /** The key that holds the metadata; no tensor may be named so. */
  static final String METADATA = "__metadata__";

  public SafetensorsHeader {
    entries = List.copyOf(entries);
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    Set<String> names = new HashSet<>();
    long position = 0;
    for (TensorEntry entry : entries) {
      if (entry.name().equals(METADATA) || !names.add(entry.name())) {
        throw new IllegalArgumentException(
            "a tensor may not be named " + entry.name() + " (again)");
      }
      if (entry.begin() != position) {
        throw new IllegalArgumentException(
            entry.name() + " begins at byte " + entry.begin() + ", expected " + position);
      }
      position = entry.end();
    }
  }

  /** Bytes of data after the header. */
  public long dataBytes() {
    return entries.isEmpty() ? 0 : entries.get(entries.size() - 1).end();
  }

  /** Collects tensors in the order in which their data will be written. */
  public static final class Builder {
    private final List<TensorEntry> entries = new ArrayList<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private long position;

    /** Declares the next tensor. */
    public Builder tensor(String name, ElementType type, Shape shape) {
      TensorEntry entry = new TensorEntry(name, type, shape, position);
      entries.add(entry);
      position = entry.end();
      return this;
    }

    /** Adds a pair of free text; readers such as transformers expect {@code format: pt}. */
    public Builder metadata(String key, String value) {
      metadata.put(key, value);
      return this;
    }

    /**
     * @throws IllegalArgumentException if a name is taken twice
     */
    public SafetensorsHeader build() {
      return new SafetensorsHeader(entries, metadata);
    }
  }
}
