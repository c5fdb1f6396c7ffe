package org.sparkformer.data;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.testkit.AllocationLimit;

/**
 * Any file is read as text, as lines and as lines of JSON, or refused with the file's name; and its
 * documents are the same wherever it is cut in two, which the first two bytes say.
 */
class CorpusLinesFuzzTest {
  private static final Configuration HADOOP = new Configuration(false);
  private static final int CUT_BYTES = 2;

  @TempDir static Path folder;

  static Stream<byte[]> files() {
    return Stream.of(
            "\0\5{\"text\":\"one\"}\n{\"text\":null,\"id\":1}\r\n\n{\"id\":[2],\"text\":\"\\ud800\"}",
            "\0\3{\"text\":\"one\"} {\"text\":\"two\"}\n",
            "\0\1{\"text\":1e999999999}\n",
            "\0\2{\"text\":{\"text\":\"x\"}}",
            "\0\7[\"text\"]\n",
            "\0\0\ufefffirst\nsecond\r\n\r\n",
            "\0\1null",
            "\0")
        .map(text -> text.getBytes(StandardCharsets.UTF_8));
  }

  @MethodSource("files")
  @FuzzTest
  void isReadTheSameInPartsOrRefused(byte[] input) throws Exception {
    if (input.length < CUT_BYTES) {
      return;
    }
    byte[] content = Arrays.copyOfRange(input, CUT_BYTES, input.length);
    int cut = ((input[0] & 0xff) << 8 | input[1] & 0xff) % (content.length + 1);
    Path file = Files.write(folder.resolve("corpus"), content);
    for (InputFormat format : List.of(InputFormat.TEXT, InputFormat.LINES, InputFormat.JSONL)) {
      List<String> whole = within(content, () -> read(file, format, 0, content.length));
      if (whole != null && format != InputFormat.TEXT) {
        List<String> parts = new ArrayList<>(read(file, format, 0, cut));
        parts.addAll(read(file, format, cut, content.length));
        if (!parts.equals(whole)) {
          throw new AssertionError("cut at %d: %s, not %s".formatted(cut, parts, whole));
        }
      }
    }
  }

  private interface Reading {
    List<String> documents() throws IOException;
  }

  /** Null where it was refused. */
  private static List<String> within(byte[] content, Reading reading) throws Exception {
    return AllocationLimit.within(
        content.length,
        () -> {
          try {
            return reading.documents();
          } catch (IOException declared) {
            return null;
          }
        });
  }

  private static List<String> read(Path file, InputFormat format, long start, long end)
      throws IOException {
    CorpusPart part = new CorpusPart(file.toUri().toString(), format, start, end);
    List<String> documents = new ArrayList<>();
    try (DocumentReader reader = new TextDocuments(HADOOP, "text").open(part)) {
      while (reader.next()) {
        StringBuilder document = new StringBuilder();
        for (String piece = reader.read(); piece != null; piece = reader.read()) {
          document.append(piece);
        }
        documents.add(document.toString());
      }
    }
    return documents;
  }
}
