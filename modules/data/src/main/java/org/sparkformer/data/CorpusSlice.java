package org.sparkformer.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;

/**
 * The unit of work of the jobs that read a corpus: consecutive parts of its files. Slices depend on
 * the files' names and sizes alone, never on the number of executors, which is what makes the order
 * of tokens reproducible.
 */
public record CorpusSlice(int index, List<CorpusPart> parts) {
  private static final int SLICES_WANTED = 256;
  private static final long SMALLEST_BYTES = 4L << 20;
  private static final long LARGEST_BYTES = 256L << 20;
  private static final int LARGEST_PARTS = 4096;
  private static final ObjectMapper MAPPER = new ObjectMapper();

  public CorpusSlice {
    parts = List.copyOf(parts);
  }

  /** Cuts files into slices of 4 to 256 MiB; a file that cannot be split may make a larger one. */
  public static List<CorpusSlice> plan(List<CorpusFile> files) {
    long total = files.stream().mapToLong(CorpusFile::bytes).sum();
    return plan(files, Math.max(SMALLEST_BYTES, Math.min(LARGEST_BYTES, total / SLICES_WANTED)));
  }

  static List<CorpusSlice> plan(List<CorpusFile> files, long sliceBytes) {
    List<CorpusSlice> slices = new ArrayList<>();
    List<CorpusPart> parts = new ArrayList<>();
    long bytes = 0;
    for (CorpusFile file : files) {
      for (CorpusPart part : parts(file, sliceBytes)) {
        long partBytes = part.end() - part.start();
        boolean full = bytes + partBytes > sliceBytes || parts.size() == LARGEST_PARTS;
        if (full && !parts.isEmpty()) {
          slices.add(new CorpusSlice(slices.size(), parts));
          parts.clear();
          bytes = 0;
        }
        parts.add(part);
        bytes += partBytes;
      }
    }
    if (!parts.isEmpty()) {
      slices.add(new CorpusSlice(slices.size(), parts));
    }
    return slices;
  }

  private static List<CorpusPart> parts(CorpusFile file, long sliceBytes) {
    long step = file.splittable() ? sliceBytes : Math.max(1, file.bytes());
    List<CorpusPart> parts = new ArrayList<>();
    long start = 0;
    do {
      long end = Math.min(file.bytes(), start + step);
      parts.add(new CorpusPart(file.path(), file.format(), start, end));
      start = end;
    } while (start < file.bytes());
    return parts;
  }

  /** As JSON, in which slices travel to executors: strings need no serializer of their own. */
  public String toJson() {
    try {
      return MAPPER.writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a slice of plain values is always JSON", e);
    }
  }

  public static CorpusSlice parse(String json) {
    try {
      return MAPPER.readValue(json, CorpusSlice.class);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("not a corpus slice: " + json, e);
    }
  }
}
