package org.sparkformer.models;

/** What a model learns to predict, which decides how sequences are cut and what is scored. */
public enum Objective {
  /** Every token from those before it. */
  NEXT_TOKEN,

  /** Some tokens, hidden, from all others. */
  MASKED_TOKENS
}
