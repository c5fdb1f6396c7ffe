package org.sparkformer.models;

import java.nio.ByteBuffer;

/** Takes the elements of a flat parameter vector, stretch by stretch. */
@FunctionalInterface
public interface ParameterSink {
  /**
   * @param first place of the first element in the flat vector
   * @param floats the remaining bytes, direct and in native order; used again once this returns
   */
  void write(long first, ByteBuffer floats);
}
