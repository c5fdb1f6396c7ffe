package org.sparkformer.tensor;

/** The device, or the limit set for its pool, has no room for a buffer. */
public final class OutOfDeviceMemoryException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  public OutOfDeviceMemoryException(String message) {
    super(message);
  }
}
