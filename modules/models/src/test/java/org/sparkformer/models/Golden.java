package org.sparkformer.models;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import org.sparkformer.models.huggingface.HuggingFaceModel;
import org.sparkformer.models.safetensors.SafetensorsReader;
import org.sparkformer.models.safetensors.TensorEntry;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;

/** The tiny GPT-2 and the values of PyTorch that golden/make_golden.py wrote. */
public final class Golden {
  /** As in make_golden.py. */
  public static final GptConfiguration CONFIGURATION = GptConfiguration.of(2, 3, 24, 16, 61);

  private Golden() {}

  public static Path folder() {
    try {
      return Path.of(Golden.class.getResource("golden").toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  public static SafetensorsReader open(String file) throws IOException {
    return SafetensorsReader.open(folder().resolve(file));
  }

  /** The model's weights as a flat vector, which the caller closes. */
  public static Tensor weights(Backend backend) throws IOException {
    Tensor flat = backend.floats(Gpt.layout(CONFIGURATION).size());
    backend.write(flat, new float[(int) flat.size()]);
    HuggingFaceModel.load(folder(), backend, CONFIGURATION, flat);
    return flat;
  }

  public static float[] floats(SafetensorsReader reader, String name) throws IOException {
    TensorEntry entry = reader.entry(name);
    FloatBuffer values = FloatBuffer.allocate((int) entry.shape().size());
    reader.readFloats(entry, 0, values);
    return values.array();
  }

  public static int[] ints(SafetensorsReader reader, String name) throws IOException {
    TensorEntry entry = reader.entry(name);
    ByteBuffer bytes = ByteBuffer.allocate((int) entry.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    reader.readBytes(entry, 0, bytes);
    int[] values = new int[(int) entry.shape().size()];
    bytes.flip().asIntBuffer().get(values);
    return values;
  }

  /** Requires ||actual - expected|| to be at most a fraction of ||expected||; NaN fails. */
  public static void assertClose(float[] expected, float[] actual, double tolerance, String what) {
    double difference = distance(expected, actual);
    double norm = distance(expected, new float[expected.length]);
    assertTrue(
        difference <= tolerance * norm,
        () -> what + ": differs by " + difference / norm + " of its norm " + norm);
  }

  /** ||a - b||. */
  public static double distance(float[] a, float[] b) {
    assertTrue(a.length == b.length, () -> a.length + " values against " + b.length);
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
    }
    return Math.sqrt(sum);
  }
}
