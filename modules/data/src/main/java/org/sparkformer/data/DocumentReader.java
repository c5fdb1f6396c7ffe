package org.sparkformer.data;

import java.io.Closeable;
import java.io.IOException;

/** Reads documents one after the other, each in pieces, so that none has to fit in memory. */
public interface DocumentReader extends TextSource, Closeable {

  /** Moves to the next document; false after the last. */
  boolean next() throws IOException;

  /** The next piece of the current document's text; null at its end. */
  @Override
  String read() throws IOException;

  /** Where the current document stands (file, offset), for messages. */
  String place();

  /** How often U+FFFD was put in the place of broken UTF-8 so far. */
  long replacedCharacters();

  /** Opens the documents of one part of a file. */
  interface Opener {
    DocumentReader open(CorpusPart part) throws IOException;
  }
}
