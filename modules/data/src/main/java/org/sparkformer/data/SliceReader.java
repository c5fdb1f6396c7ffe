package org.sparkformer.data;

import java.io.IOException;
import java.util.Iterator;

/** The documents of a slice: those of its parts, one part open at a time. */
public final class SliceReader implements DocumentReader {
  private final Iterator<CorpusPart> parts;
  private final Opener opener;
  private DocumentReader current;
  private long replacedBefore;

  public SliceReader(CorpusSlice slice, Opener opener) {
    this.parts = slice.parts().iterator();
    this.opener = opener;
  }

  @Override
  public boolean next() throws IOException {
    while (current == null || !current.next()) {
      close();
      if (!parts.hasNext()) {
        return false;
      }
      current = opener.open(parts.next());
    }
    return true;
  }

  @Override
  public String read() throws IOException {
    return current.read();
  }

  @Override
  public long replacedCharacters() {
    return replacedBefore + (current == null ? 0 : current.replacedCharacters());
  }

  @Override
  public void close() throws IOException {
    if (current != null) {
      replacedBefore += current.replacedCharacters();
      current.close();
      current = null;
    }
  }
}
