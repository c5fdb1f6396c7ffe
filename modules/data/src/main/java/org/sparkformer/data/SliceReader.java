package org.sparkformer.data;

import java.io.IOException;
import java.util.Iterator;

/**
 * The documents of a slice: those of its parts, one part open at a time. Errors name the place that
 * could not be read.
 */
public final class SliceReader implements DocumentReader {
  private final Iterator<CorpusPart> parts;
  private final Opener opener;
  private CorpusPart part;
  private DocumentReader current;
  private long replacedBefore;

  public SliceReader(CorpusSlice slice, Opener opener) {
    this.parts = slice.parts().iterator();
    this.opener = opener;
  }

  @Override
  public boolean next() throws IOException {
    try {
      while (current == null || !current.next()) {
        close();
        if (!parts.hasNext()) {
          return false;
        }
        part = parts.next();
        current = opener.open(part);
      }
      return true;
    } catch (IOException e) {
      throw placed(e);
    }
  }

  @Override
  public String read() throws IOException {
    try {
      return current.read();
    } catch (IOException e) {
      throw placed(e);
    }
  }

  private IOException placed(IOException error) {
    return new UnreadableCorpusException(
        "cannot read %s: %s".formatted(place(), error.getMessage()), error);
  }

  @Override
  public String place() {
    return current == null ? part.path() : current.place();
  }

  @Override
  public long replacedCharacters() {
    return replacedBefore + (current == null ? 0 : current.replacedCharacters());
  }

  @Override
  public void close() throws IOException {
    if (current != null) {
      replacedBefore += current.replacedCharacters();
      DocumentReader closing = current;
      current = null;
      closing.close();
    }
  }
}
