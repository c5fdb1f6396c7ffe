package org.sparkformer.app;

import java.net.URI;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** {@code elsewhere:///path}: a Hadoop file system that is not the local one to whoever asks. */
public final class ElsewhereFileSystem extends RawLocalFileSystem {
  static final String SCHEME = "elsewhere";
  private static final URI ROOT = URI.create(SCHEME + ":///");

  @Override
  public String getScheme() {
    return SCHEME;
  }

  @Override
  public URI getUri() {
    return ROOT;
  }
}
