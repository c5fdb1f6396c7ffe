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
  private static final String PREFIX = "transformer.";
  private static final String EMBEDDING = PREFIX + "wte.weight";
  private static final String OUTPUT = "lm_head.weight";
  private static final int CHUNK = 1 << 16;

  private final Map<String, Source> byName = new HashMap<>();
  private final List<SafetensorsReader> files;

  private TensorSources(List<SafetensorsReader> files) {
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
    TensorSources sources = new TensorSources(files);
    for (SafetensorsReader file : files) {
      for (TensorEntry entry : file.header().entries()) {
        sources.add(new Source(file, entry));
      }
    }
    if (sources.byName.containsKey(OUTPUT)) {
      sources.byName.putIfAbsent(EMBEDDING, sources.byName.get(OUTPUT));
    }
    for (Parameter parameter : layout.parameters()) {
      sources.check(parameter);
    }
    sources.checkNothingIsLeft(layout);
    return sources;
  }

  private void add(Source source) throws SafetensorsException {
    String name = source.entry().name();
    // The causal mask, which old versions of transformers saved.
    if (name.endsWith(".attn.bias") || name.endsWith(".attn.masked_bias")) {
      return;
    }
    String canonical = name.startsWith(PREFIX) || name.equals(OUTPUT) ? name : PREFIX + name;
    Source other = byName.put(canonical, source);
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
    left.remove(OUTPUT);
    for (Source source : left.values()) {
      throw source.failure("the model has no such parameter; check the number of layers");
    }
  }

  Source of(Parameter parameter) {
    return byName.get(parameter.name());
  }

  /**
   * A file may hold the output matrix too, if it is the token embedding again.
   *
   * @throws SafetensorsException if it is another matrix
   */
  void checkTied() throws IOException {
    Source output = byName.get(OUTPUT);
    Source embedding = byName.get(EMBEDDING);
    if (output == null || output == embedding) {
      return;
    }
    boolean same = output.entry().shape().equals(embedding.entry().shape());
    long size = embedding.entry().shape().size();
    for (long first = 0; same && first < size; first += CHUNK) {
      int count = (int) Math.min(CHUNK, size - first);
      same = floats(output, first, count).equals(floats(embedding, first, count));
    }
    if (!same) {
      throw output.failure("differs from the token embedding; only tied models are supported");
    }
  }

  private static FloatBuffer floats(Source source, long first, int count) throws IOException {
    FloatBuffer values = FloatBuffer.allocate(count);
    source.read(first, values);
    return values.flip();
  }
}
