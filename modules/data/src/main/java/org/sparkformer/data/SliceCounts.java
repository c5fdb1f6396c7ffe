package org.sparkformer.data;

import java.io.IOException;

/**
 * What a slice holds, counted without tokenizing it.
 *
 * @param documents those with text
 * @param emptyDocuments those without
 * @param characters code points of all documents
 * @param replacedCharacters U+FFFD put in the place of broken UTF-8
 */
public record SliceCounts(
    long documents, long emptyDocuments, long characters, long replacedCharacters) {

  public static final SliceCounts NONE = new SliceCounts(0, 0, 0, 0);

  public static SliceCounts of(DocumentReader reader) throws IOException {
    long documents = 0;
    long empty = 0;
    long characters = 0;
    while (reader.next()) {
      long before = characters;
      for (String text = reader.read(); text != null; text = reader.read()) {
        characters += text.codePointCount(0, text.length());
      }
      documents += characters > before ? 1 : 0;
      empty += characters > before ? 0 : 1;
    }
    return new SliceCounts(documents, empty, characters, reader.replacedCharacters());
  }

  public SliceCounts plus(SliceCounts other) {
    return new SliceCounts(
        documents + other.documents,
        emptyDocuments + other.emptyDocuments,
        characters + other.characters,
        replacedCharacters + other.replacedCharacters);
  }
}
