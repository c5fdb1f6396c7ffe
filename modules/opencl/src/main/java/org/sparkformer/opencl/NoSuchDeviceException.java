package org.sparkformer.opencl;

/** A device was asked for that is not there; the message lists those that are. */
public final class NoSuchDeviceException extends OpenClException {
  private static final long serialVersionUID = 1;

  NoSuchDeviceException(String message) {
    super(message);
  }
}
