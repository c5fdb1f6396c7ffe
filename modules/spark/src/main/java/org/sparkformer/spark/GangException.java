package org.sparkformer.spark;

/** An attempt that ended before its work was done. */
final class GangException extends Exception {
  private static final long serialVersionUID = 1L;

  private final RankException.Kind kind;

  GangException(RankException.Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  /** Whether another attempt would end the same way. */
  boolean lasting() {
    return kind.lasting();
  }

  /** Whether what the user gave is at fault. */
  boolean refused() {
    return kind == RankException.Kind.REFUSED;
  }
}
