package org.sparkformer.collective;

/** Bytes that are not a frame as its sender wrote it. */
final class DamagedFrameException extends Exception {
  private static final long serialVersionUID = 1L;

  DamagedFrameException(String message) {
    super(message);
  }
}
