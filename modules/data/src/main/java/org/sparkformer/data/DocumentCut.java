package org.sparkformer.data;

import java.io.IOException;

/**
 * A document's text as it goes to the splits: all to one, or, cut in two, first to one and then to
 * the other.
 */
final class DocumentCut implements TextSource {
  private final SplitPlan plan;
  private final DocumentReader reader;

  /** Code points that still go to training, where a single document is cut. */
  private long trainingCharacters;

  private Split split;
  private String pending;

  DocumentCut(SplitPlan plan, long document, String first, DocumentReader reader) {
    this.plan = plan;
    this.reader = reader;
    this.pending = first;
    this.trainingCharacters = plan.isSingleDocument() ? plan.trainingCharacters() : Long.MAX_VALUE;
    boolean trains = plan.isSingleDocument() && plan.trainingCharacters() > 0;
    this.split = trains ? Split.TRAIN : documentSplit(document);
  }

  private Split documentSplit(long document) {
    return plan.isSingleDocument() ? Split.VALIDATION : plan.split(document);
  }

  /** Where the text that {@link #read} gives next goes; null when there is no more. */
  Split split() {
    return pending == null ? null : split;
  }

  /** The next text for the current split; null when that split has all of its. */
  @Override
  public String read() throws IOException {
    if (pending == null) {
      return null;
    }
    if (plan.isSingleDocument() && split == Split.TRAIN) {
      return readTraining();
    }
    String text = pending;
    pending = nextText(reader);
    return text;
  }

  private String readTraining() throws IOException {
    if (trainingCharacters == 0) {
      split = Split.VALIDATION;
      return null;
    }
    String text = pending;
    int characters = text.codePointCount(0, text.length());
    if (characters <= trainingCharacters) {
      trainingCharacters -= characters;
      pending = nextText(reader);
      return text;
    }
    int cut = text.offsetByCodePoints(0, (int) trainingCharacters);
    trainingCharacters = 0;
    pending = text.substring(cut);
    return text.substring(0, cut);
  }

  /** The document's next text that is not empty; null at its end. */
  static String nextText(DocumentReader reader) throws IOException {
    String text = reader.read();
    while (text != null && text.isEmpty()) {
      text = reader.read();
    }
    return text;
  }
}
