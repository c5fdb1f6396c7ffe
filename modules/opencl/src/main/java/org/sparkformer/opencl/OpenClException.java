package org.sparkformer.opencl;

/** An OpenCL call failed, or what it was asked for does not exist; the message says what to do. */
public class OpenClException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  public OpenClException(String message) {
    super(message);
  }

  public OpenClException(String message, Throwable cause) {
    super(message, cause);
  }
}
