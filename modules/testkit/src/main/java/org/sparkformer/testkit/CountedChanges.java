package org.sparkformer.testkit;

import java.io.IOException;

/** Counts the changes that are asked of a file system, one of which is to fail. */
public interface CountedChanges {
  /** How many there were. */
  int changes();

  /**
   * What is asked just before a file is put in place counts as a change too: the call that does it
   * may be none of Hadoop's file systems', such as a link on local disks.
   */
  void beforeCommit() throws IOException;
}
