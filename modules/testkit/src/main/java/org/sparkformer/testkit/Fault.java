package org.sparkformer.testkit;

/** What comes of the operation that is chosen. */
enum Fault {
  /** It fails, and no other does. */
  FAILURE,

  /** It fails half done, and so does all that its user does afterwards. */
  DEATH,

  /** The process ends with it. */
  END_OF_PROCESS;

  /** Returns where the process goes on. */
  void strike() {
    if (this == END_OF_PROCESS) {
      Runtime.getRuntime().halt(DyingFileSystem.EXIT_STATUS);
    }
  }
}
