package org.sparkformer.models.huggingface;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.models.ParameterLayout.Parameter;
import org.sparkformer.models.ParameterSink;
import org.sparkformer.models.safetensors.ElementType;
import org.sparkformer.models.safetensors.SafetensorsHeader;
import org.sparkformer.models.safetensors.SafetensorsReader;
import org.sparkformer.models.safetensors.SafetensorsWriter;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;

/**
 * Moves parameters between a flat vector on the device and safetensors files, a fixed chunk at a
 * time, so that the host never holds a model.
 */
public final class WeightFiles {
  private static final int CHUNK = 1 << 20;

  private WeightFiles() {}

  /** Header of a file that holds all parameters in canonical order, as F32. */
  public static SafetensorsHeader header(ParameterLayout layout) {
    SafetensorsHeader.Builder header = new SafetensorsHeader.Builder().metadata("format", "pt");
    for (Parameter parameter : layout.parameters()) {
      header.tensor(parameter.name(), ElementType.F32, parameter.shape());
    }
    return header.build();
  }

  /**
   * Writes all parameters as one file.
   *
   * @param flat of the layout's size; parameters, or anything of the same layout, such as moments
   * @param file name of the file, for messages
   * @param out closed in the end
   */
  public static void write(
      Backend backend, ParameterLayout layout, Tensor flat, String file, OutputStream out)
      throws IOException {
    ByteBuffer chunk = chunk();
    try (SafetensorsWriter writer = new SafetensorsWriter(file, out, header(layout))) {
      for (Parameter parameter : layout.parameters()) {
        long size = parameter.shape().size();
        for (long first = 0; first < size; first += CHUNK) {
          int count = (int) Math.min(CHUNK, size - first);
          chunk.clear().limit(count * Float.BYTES);
          backend.read(flat.view(parameter.offset() + first, count), chunk);
          chunk.rewind();
          writer.writeFloats(parameter.name(), chunk.asFloatBuffer());
        }
      }
      writer.finish();
    }
  }

  /**
   * Reads all parameters; F16 and BF16 are widened. The gaps of the vector are left alone.
   *
   * @param files together hold each parameter once, under GPT2LMHeadModel's or GPT2Model's names;
   *     the caller closes them
   * @throws org.sparkformer.models.safetensors.SafetensorsException if a tensor is missing, unknown
   *     or of another shape, or if an output matrix is not tied to the token embedding; nothing has
   *     been written then
   */
  public static void read(
      Backend backend, ParameterLayout layout, Tensor flat, List<SafetensorsReader> files)
      throws IOException {
    read(
        layout,
        files,
        (first, floats) ->
            backend.write(flat.view(first, floats.remaining() / Float.BYTES), floats));
    backend.finish();
  }

  /** As {@link #read(Backend, ParameterLayout, Tensor, List)}, to a sink. */
  public static void read(ParameterLayout layout, List<SafetensorsReader> files, ParameterSink sink)
      throws IOException {
    TensorSources sources = TensorSources.find(layout, files);
    sources.checkTied();
    ByteBuffer chunk = chunk();
    for (Parameter parameter : layout.parameters()) {
      TensorSources.Source source = sources.of(parameter);
      long size = parameter.shape().size();
      for (long first = 0; first < size; first += CHUNK) {
        int count = (int) Math.min(CHUNK, size - first);
        source.read(first, chunk.clear().limit(count * Float.BYTES).asFloatBuffer());
        sink.write(parameter.offset() + first, chunk);
      }
    }
  }

  private static ByteBuffer chunk() {
    return ByteBuffer.allocateDirect(CHUNK * Float.BYTES).order(ByteOrder.nativeOrder());
  }
}
