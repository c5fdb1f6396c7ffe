package org.sparkformer.data;

import java.io.IOException;

/** Text that arrives in pieces of whole characters. */
@FunctionalInterface
public interface TextSource {

  /** The next piece, possibly empty; null at the end. */
  String read() throws IOException;
}
