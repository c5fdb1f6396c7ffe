package org.sparkformer.training;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.models.ParameterLayout.Parameter;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;

/**
 * SHA-256 over the fp32 little-endian values of each parameter in the layout's order, gaps left
 * out: equal digests mean bit-equal weights.
 */
public final class WeightsDigest {
  private static final int CHUNK = 1 << 20;

  private WeightsDigest() {}

  /**
   * @param flat parameters on the device, laid out by {@code layout}
   * @return lower-case hexadecimal
   */
  public static String of(Backend backend, ParameterLayout layout, Tensor flat) {
    MessageDigest digest = sha256();
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(CHUNK * Float.BYTES).order(ByteOrder.nativeOrder());
    for (Parameter parameter : layout.parameters()) {
      long size = parameter.shape().size();
      for (long first = 0; first < size; first += CHUNK) {
        int count = (int) Math.min(CHUNK, size - first);
        bytes.clear().limit(count * Float.BYTES);
        backend.read(flat.view(parameter.offset() + first, count), bytes);
        digest.update(littleEndian(bytes.clear().limit(count * Float.BYTES)));
      }
    }
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

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this Java run time lacks SHA-256", e);
    }
  }
}
