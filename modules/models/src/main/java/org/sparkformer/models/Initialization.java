package org.sparkformer.models;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.stream.IntStream;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Philox;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Fill;

/**
 * Initial values as a pure function of (seed, parameter, element), so that every rank and every
 * machine starts from the same bits.
 */
public final class Initialization {
  /** Elements drawn and written to the device at once. */
  private static final int CHUNK = 1 << 20;

  /** Elements that one thread draws in a row, a multiple of four. */
  private static final int SPAN = 1 << 12;

  private static final double UNIT = 0x1p-32;

  private Initialization() {}

  /**
   * Draws all parameters.
   *
   * @param flat receives the values; of the layout's size
   */
  public static void run(Backend backend, ParameterLayout layout, Tensor flat, long seed) {
    backend.run(new Fill(flat, 0f));
    run(
        layout,
        seed,
        (first, floats) -> backend.write(flat.view(first, floats.remaining() / 4), floats));
  }

  /** Draws all parameters, in the order of their places; the gaps between them are left out. */
  public static void run(ParameterLayout layout, long seed, ParameterSink sink) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(CHUNK * 4).order(ByteOrder.nativeOrder());
    int site = 0;
    for (ParameterLayout.Parameter parameter : layout.parameters()) {
      long size = parameter.shape().size();
      for (long first = 0; first < size; first += CHUNK) {
        int count = (int) Math.min(CHUNK, size - first);
        draw(parameter, first, count, seed, site, bytes.clear().asFloatBuffer());
        sink.write(parameter.offset() + first, bytes.limit(count * 4));
      }
      site++;
    }
  }

  private static void draw(
      ParameterLayout.Parameter parameter,
      long first,
      int count,
      long seed,
      int site,
      FloatBuffer values) {
    IntStream.range(0, (count + SPAN - 1) / SPAN)
        .parallel()
        .forEach(
            span -> {
              int[] words = new int[4];
              double[] normals = new double[4];
              for (int i = span * SPAN; i < Math.min(count, (span + 1) * SPAN); i++) {
                if (i % 4 == 0) {
                  Philox.block((first + i) / 4, site, -1, seed, words);
                  toNormals(words, normals);
                }
                double value =
                    parameter.initialMean() + parameter.initialDeviation() * normals[i % 4];
                values.put(i, (float) value);
              }
            });
  }

  /** Four standard normals by Box and Muller; StrictMath gives the same bits everywhere. */
  private static void toNormals(int[] words, double[] normals) {
    for (int i = 0; i < 4; i += 2) {
      double u = ((words[i] & 0xFFFFFFFFL) + 0.5) * UNIT;
      double angle = 2 * Math.PI * ((words[i + 1] & 0xFFFFFFFFL) + 0.5) * UNIT;
      double radius = StrictMath.sqrt(-2 * StrictMath.log(u));
      normals[i] = radius * StrictMath.cos(angle);
      normals[i + 1] = radius * StrictMath.sin(angle);
    }
  }
}
