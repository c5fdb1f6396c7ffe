package org.sparkformer.data;

/** The two parts of a dataset. */
public enum Split {
  TRAIN("train"),
  VALIDATION("validation");

  private final String label;

  Split(String label) {
    this.label = label;
  }

  /** The name in file names, the manifest and messages. */
  public String label() {
    return label;
  }
}
