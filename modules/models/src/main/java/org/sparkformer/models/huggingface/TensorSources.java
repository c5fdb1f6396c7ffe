package org.sparkformer.models.huggingface;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.models.ParameterLayout.Parameter;
import org.sparkformer.models.safetensors.SafetensorsException;
import org.sparkformer.models.safetensors.SafetensorsReader;
import org.sparkformer.models.safetensors.TensorEntry;

/** Which tensor of which file each parameter comes from. */
final class TensorSources {
  private static final int CHUNK = 1 << 16;

  private final Map<String, Source> byName = new HashMap<>();
  private final TensorNames names;
  private final List<SafetensorsReader> files;

  private TensorSources(TensorNames names, List<SafetensorsReader> files) {
    this.names = names;
    this.files = files;
  }

  record Source(SafetensorsReader file, TensorEntry entry) {
    void read(long first, FloatBuffer destination) throws IOException {
      file.readFloats(entry, first, destination);
    }

    SafetensorsException failure(String problem) {
      return new SafetensorsException(file.file(), entry.name(), problem);
    }
  }

  /**
   * @throws SafetensorsException if a tensor is missing, there twice, unknown or of another shape
   */
  static TensorSources find(ParameterLayout layout, List<SafetensorsReader> files)
      throws SafetensorsException {
    TensorSources sources = new TensorSources(TensorNames.of(layout), files);
    for (SafetensorsReader file : files) {
      for (TensorEntry entry : file.header().entries()) {
        sources.add(new Source(file, entry));
      }
    }
    sources.names.tied().forEach(sources::standIn);
    for (Parameter parameter : layout.parameters()) {
      sources.check(parameter);
    }
    sources.checkNothingIsLeft(layout);
    return sources;
  }

  /** A copy serves where the parameter itself is not there. */
  private void standIn(String copy, String parameter) {
    if (byName.containsKey(copy)) {
      byName.putIfAbsent(parameter, byName.get(copy));
    }
  }

  private void add(Source source) throws SafetensorsException {
    String name = source.entry().name();
    if (names.isNoParameter(name)) {
      return;
    }
    Source other = byName.put(names.canonical(name), source);
    if (other != null) {
      throw source.failure("the same parameter is " + other.entry().name() + " in " + other.file());
    }
  }

  private void check(Parameter parameter) throws SafetensorsException {
    Source source = byName.get(parameter.name());
    if (source == null) {
      throw new SafetensorsException(
          files.isEmpty() ? "no file" : files.get(0).file(),
          parameter.name(),
          "the model's parameter is missing; check the number of layers");
    }
    if (!source.entry().shape().equals(parameter.shape())) {
      throw source.failure(
          "has shape " + source.entry().shape() + ", the model's is " + parameter.shape());
    }
    if (!source.entry().type().widensToFloat()) {
      throw source.failure("is " + source.entry().type() + "; weights must be F32, F16 or BF16");
    }
  }

  private void checkNothingIsLeft(ParameterLayout layout) throws SafetensorsException {
    Map<String, Source> left = new HashMap<>(byName);
    layout.parameters().forEach(parameter -> left.remove(parameter.name()));
    left.keySet().removeAll(names.tied().keySet());
    for (Source source : left.values()) {
      throw source.failure("the model has no such parameter; check the number of layers");
    }
  }

  Source of(Parameter parameter) {
    return byName.get(parameter.name());
  }

  /**
   * A file may hold a tied parameter twice, if it is the same again.
   *
   * @throws SafetensorsException if the two differ
   */
  void checkTied() throws IOException {
    for (Map.Entry<String, String> tie : names.tied().entrySet()) {
      Source copy = byName.get(tie.getKey());
      Source parameter = byName.get(tie.getValue());
      if (copy != null && copy != parameter && !same(copy, parameter)) {
        throw copy.failure("differs from " + tie.getValue() + "; only tied models are supported");
      }
    }
  }

  private static boolean same(Source copy, Source parameter) throws IOException {
    boolean same = copy.entry().shape().equals(parameter.entry().shape());
    long size = parameter.entry().shape().size();
    for (long first = 0; same && first < size; first += CHUNK) {
      int count = (int) Math.min(CHUNK, size - first);
      same = floats(copy, first, count).equals(floats(parameter, first, count));
    }
    return same;
  }

  private static FloatBuffer floats(Source source, long first, int count) throws IOException {
    FloatBuffer values = FloatBuffer.allocate(count);
    source.read(first, values);
    return values.flip();
  }
}
