package org.sparkformer.training;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.models.ParameterLayout.Parameter;
import org.sparkformer.models.ParameterSink;

/**
 * SHA-256 over the fp32 little-endian values of each parameter in the layout's order, gaps left
 * out: equal digests mean bit-equal weights. Takes the flat vector in order.
 */
final class WeightsDigest implements ParameterSink {
  private final ParameterLayout layout;
  private final MessageDigest digest = sha256();
  private long next;

  WeightsDigest(ParameterLayout layout) {
    this.layout = layout;
  }

  @Override
  public void write(long first, ByteBuffer floats) {
    if (first != next) {
      throw new IllegalArgumentException("element " + next + " is next, got element " + first);
    }
    next = first + floats.remaining() / Float.BYTES;
    for (Parameter parameter : layout.parameters()) {
      long from = Math.max(first, parameter.offset());
      long to = Math.min(next, parameter.offset() + parameter.shape().size());
      if (from < to) {
        int start = floats.position() + (int) (from - first) * Float.BYTES;
        int bytes = (int) (to - from) * Float.BYTES;
        digest.update(littleEndian(floats.slice(start, bytes).order(floats.order())));
      }
    }
  }

  /** The digest of all that was written, in lower-case hexadecimal. */
  String hex() {
    return HexFormat.of().formatHex(digest.digest());
  }

  private static ByteBuffer littleEndian(ByteBuffer bytes) {
    if (bytes.order() == ByteOrder.LITTLE_ENDIAN) {
      return bytes;
    }
    ByteBuffer swapped = ByteBuffer.allocate(bytes.remaining()).order(ByteOrder.LITTLE_ENDIAN);
    swapped.asFloatBuffer().put(bytes.asFloatBuffer());
    return swapped;
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this Java run time lacks SHA-256", e);
    }
  }
}
