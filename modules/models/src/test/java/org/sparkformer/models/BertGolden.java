package org.sparkformer.models;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import org.sparkformer.models.huggingface.HuggingFaceModel;
import org.sparkformer.models.safetensors.SafetensorsReader;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;

/** The tiny BERT and the values of PyTorch that bert/make_golden.py wrote. */
public final class BertGolden {
  /** As in make_golden.py. */
  public static final BertConfiguration CONFIGURATION = BertConfiguration.of(2, 3, 24, 16, 61);

  private BertGolden() {}

  static BertConfiguration recomputing(boolean recompute) {
    return new BertConfiguration(2, 3, 24, 16, 61, 0, recompute);
  }

  public static Path folder() {
    try {
      return Path.of(BertGolden.class.getResource("bert").toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  static SafetensorsReader open() throws IOException {
    return SafetensorsReader.open(folder().resolve("expected.safetensors"));
  }

  /** The model's weights as a flat vector, which the caller closes. */
  public static Tensor weights(Backend backend) throws IOException {
    Tensor flat = backend.floats(CONFIGURATION.layout().size());
    backend.write(flat, new float[(int) flat.size()]);
    HuggingFaceModel.load(folder(), backend, CONFIGURATION, flat);
    return flat;
  }
}
