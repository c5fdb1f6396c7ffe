package org.sparkformer.opencl;

/** The driver's compiler refused a program, and would again: source and options stay the same. */
public final class ProgramBuildException extends OpenClException {
  private static final long serialVersionUID = 1;

  public ProgramBuildException(String message, Throwable cause) {
    super(message, cause);
  }
}
