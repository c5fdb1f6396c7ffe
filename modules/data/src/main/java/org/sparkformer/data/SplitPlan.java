package org.sparkformer.data;

import java.io.Serializable;

/**
 * Which text trains and which validates. Of several documents, the given fraction (rounded, at
 * least one, never all) is drawn by a fixed permutation of their numbers. A single document is cut:
 * its last characters validate, as in nanoGPT's {@code text[:int(0.9 * n)]}.
 *
 * @param documents of the whole corpus, those with text
 * @param validationDocuments how many of several validate; 0 for a single document
 * @param trainingCharacters how many code points of a single document train; otherwise unused
 */
public record SplitPlan(long documents, long validationDocuments, long trainingCharacters)
    implements Serializable {
  private static final long KEY = 0x5eed_0f_7e57L;

  /**
   * @throws IllegalArgumentException if the corpus is empty or the fraction is not in [0, 1)
   */
  public static SplitPlan of(SliceCounts total, double validationFraction) {
    if (!(validationFraction >= 0 && validationFraction < 1)) {
      throw new IllegalArgumentException(
          "the validation fraction must be at least 0 and less than 1, not " + validationFraction);
    }
    if (total.documents() == 0) {
      throw new IllegalArgumentException(
          "the corpus is empty: none of its %,d documents holds text; check the inputs and their format"
              .formatted(total.emptyDocuments()));
    }
    if (total.documents() == 1) {
      return new SplitPlan(1, 0, (long) (total.characters() * (1 - validationFraction)));
    }
    long wanted = Math.round(total.documents() * validationFraction);
    long validation = Math.max(1, Math.min(wanted, total.documents() - 1));
    return new SplitPlan(total.documents(), validationFraction == 0 ? 0 : validation, 0);
  }

  public boolean isSingleDocument() {
    return documents == 1;
  }

  /** The split of a document of several, by its number among those with text. */
  public Split split(long document) {
    if (validationDocuments == 0) {
      return Split.TRAIN;
    }
    long drawn = new Permutation(documents, KEY).apply(document);
    return drawn < validationDocuments ? Split.VALIDATION : Split.TRAIN;
  }
}
