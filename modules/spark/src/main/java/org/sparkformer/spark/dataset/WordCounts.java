package org.sparkformer.spark.dataset;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import org.sparkformer.data.SafePieces;
import org.sparkformer.data.SliceReader;
import org.sparkformer.data.Words;
import scala.Tuple2;

/**
 * The words of a slice with their counts, a table of bounded size at a time: a word may come again,
 * and the shuffle adds up.
 */
final class WordCounts implements Iterator<Tuple2<String, Long>> {
  private static final int LARGEST_TABLE = 100_000;

  private final SliceReader reader;
  private Iterator<Map.Entry<String, Long>> table = Map.<String, Long>of().entrySet().iterator();

  /** The current document; null before the first and after each. */
  private SafePieces document;

  WordCounts(SliceReader reader) {
    this.reader = reader;
  }

  @Override
  public boolean hasNext() {
    if (!table.hasNext()) {
      try {
        table = nextTable().entrySet().iterator();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return table.hasNext();
  }

  @Override
  public Tuple2<String, Long> next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    Map.Entry<String, Long> entry = table.next();
    return new Tuple2<>(entry.getKey(), entry.getValue());
  }

  private Map<String, Long> nextTable() throws IOException {
    Map<String, Long> counts = new HashMap<>();
    while (counts.size() < LARGEST_TABLE) {
      if (document == null) {
        if (!reader.next()) {
          break;
        }
        document = new SafePieces(reader, Words::safeCut);
      }
      String text = document.read();
      if (text == null) {
        document = null;
      } else {
        Words.forEach(text, word -> counts.merge(word, 1L, Long::sum));
      }
    }
    return counts;
  }
}
