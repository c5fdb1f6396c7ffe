package org.sparkformer.opencl.kernels;

import java.util.List;
import java.util.Map;
import org.sparkformer.opencl.Launch;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.ops.EmbeddingBackward;
import org.sparkformer.tensor.ops.EmbeddingForward;

/** Launches of {@code embedding.cl}. */
public final class EmbeddingKernels {
  private static final String FILE = "embedding.cl";

  private EmbeddingKernels() {}

  public static List<Specialisation<?>> all() {
    return List.of(
        KernelLaunch.of(EmbeddingForward.class, FILE, EmbeddingKernels::forward),
        KernelLaunch.of(EmbeddingBackward.class, FILE, EmbeddingKernels::backward));
  }

  private static void forward(EmbeddingForward embedding, LaunchContext context) {
    Map<String, Integer> tunables = context.tunables(FILE);
    int rows = Math.toIntExact(embedding.tokens().size());
    context
        .kernel(FILE, "embeddingForward")
        .tensor(embedding.tokens())
        .tensor(embedding.tokenWeight())
        .tensor(embedding.positionWeight())
        .tensor(embedding.y())
        .number(rows)
        .number(embedding.length())
        .number(embedding.columns())
        .number(embedding.firstPosition())
        .number(embedding.positionWeight() == null ? 0 : 1)
        .over(Launch.groups(rows, tunables.get("ROWS")), tunables.get("ITEMS"));
  }

  private static void backward(EmbeddingBackward embedding, LaunchContext context) {
    Map<String, Integer> tunables = context.tunables(FILE);
    int items = tunables.get("ITEMS");
    context
        .kernel(FILE, "tokenBackward")
        .tensor(embedding.tokens())
        .tensor(embedding.dy())
        .tensor(embedding.dTokenWeight())
        .number(embedding.rows())
        .number(embedding.columns())
        .over(tunables.get("BUCKETS"), items);
    if (embedding.dPositionWeight() == null) {
      return;
    }
    context
        .kernel(FILE, "positionBackward")
        .tensor(embedding.dy())
        .tensor(embedding.dPositionWeight())
        .number(embedding.rows() / embedding.length())
        .number(embedding.length())
        .number(embedding.columns())
        .over(embedding.length(), items);
  }
}
