package org.sparkformer.models;

/** What the keys of every architecture have to satisfy. */
final class Requirement {
  private Requirement() {}

  static void shape(int layers, int heads, int width, int context, int vocabularySize) {
    positive("layers", layers);
    positive("heads", heads);
    positive("width", width);
    positive("context", context);
    positive("vocab_size", vocabularySize);
    if (width % heads != 0) {
      throw new IllegalArgumentException(
          "model.heads must divide model.width (" + width + "), but is " + heads);
    }
  }

  private static void positive(String key, int value) {
    if (value < 1) {
      throw new IllegalArgumentException("model." + key + " must be at least 1, but is " + value);
    }
  }

  static void probability(double dropout) {
    if (!(dropout >= 0 && dropout < 1)) {
      throw new IllegalArgumentException(
          "model.dropout must be at least 0 and below 1, but is " + dropout);
    }
  }
}
