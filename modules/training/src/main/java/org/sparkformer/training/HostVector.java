package org.sparkformer.training;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.models.ParameterLayout.Parameter;
import org.sparkformer.models.huggingface.WeightFiles;
import org.sparkformer.models.safetensors.SafetensorsWriter;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;

/** A copy of a flat fp32 vector in host memory, of any length, to be written beside training. */
final class HostVector {
  /** Floats in a piece: 256 MiB. */
  private static final int PIECE = 1 << 26;

  private final ParameterLayout layout;
  private final List<ByteBuffer> pieces = new ArrayList<>();

  HostVector(ParameterLayout layout) {
    this.layout = layout;
    for (long first = 0; first < layout.size(); first += PIECE) {
      int count = (int) Math.min(PIECE, layout.size() - first);
      pieces.add(ByteBuffer.allocateDirect(count * Float.BYTES).order(ByteOrder.nativeOrder()));
    }
  }

  /** Waits for the device and copies a vector of the layout's size. */
  void copy(Backend backend, Tensor flat) {
    long first = 0;
    for (ByteBuffer piece : pieces) {
      int count = piece.capacity() / Float.BYTES;
      backend.read(flat.view(first, count), piece.clear());
      first += count;
    }
  }

  /** Writes the parameters as a safetensors file. */
  void write(String file, OutputStream stream) throws IOException {
    SafetensorsWriter writer = new SafetensorsWriter(file, stream, WeightFiles.header(layout));
    for (Parameter parameter : layout.parameters()) {
      write(writer, parameter);
    }
    writer.finish();
  }

  private void write(SafetensorsWriter writer, Parameter parameter) throws IOException {
    long end = parameter.offset() + parameter.shape().size();
    for (long at = parameter.offset(); at < end; ) {
      ByteBuffer piece = pieces.get((int) (at / PIECE));
      int from = (int) (at % PIECE);
      int count = (int) Math.min(end - at, PIECE - from);
      writer.writeFloats(parameter.name(), piece.clear().asFloatBuffer().slice(from, count));
      at += count;
    }
  }
}
