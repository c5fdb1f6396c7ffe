package org.sparkformer.data;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;

/**
 * Opens the bytes of a text file: decompressed where its name says so, without a byte order mark.
 */
final class PartStream {
  private static final int BUFFER_BYTES = 1 << 16;

  private PartStream() {}

  static boolean isCompressed(Configuration configuration, CorpusPart part) {
    return codec(configuration, part) != null;
  }

  /** The bytes from {@code position} on, which is 0 for a compressed file. */
  static InputStream open(Configuration configuration, CorpusPart part, long position)
      throws IOException {
    Path path = new Path(part.path());
    FSDataInputStream raw = HadoopFiles.of(path, configuration).open(path);
    CompressionCodec codec = codec(configuration, part);
    InputStream bytes = raw;
    if (codec != null) {
      bytes = codec.createInputStream(raw);
    } else {
      raw.seek(position);
    }
    return new BufferedInputStream(bytes, BUFFER_BYTES);
  }

  private static CompressionCodec codec(Configuration configuration, CorpusPart part) {
    return new CompressionCodecFactory(configuration).getCodec(new Path(part.path()));
  }
}
