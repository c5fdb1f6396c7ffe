package org.sparkformer.opencl.contract;

import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Attention;
import org.sparkformer.tensor.ops.AttentionBackward;
import org.sparkformer.tensor.ops.AttentionForward;
import org.sparkformer.tensor.ops.Dropout;
import org.sparkformer.tensor.ops.Projection;

/** Attention over a packed query-key-value matrix, over a key/value cache, masked and dropped. */
public final class AttentionCases {
  private static final Dropout DROPOUT = new Dropout(0.2f, 99, 5, 2, 1000);

  private AttentionCases() {}

  /**
   * @param padded whether later sequences have fewer keys
   */
  public record Extents(
      int batch, int length, int heads, int headSize, boolean causal, boolean padded) {

    @Override
    public String toString() {
      return "B%d T%d H%d D%d%s%s"
          .formatted(
              batch, length, heads, headSize, causal ? " causal" : "", padded ? " padded" : "");
    }
  }

  static Stream<OperationCase> all() {
    return Stream.concat(
        Stream.of(
                new Extents(1, 1, 1, 1, true, false),
                new Extents(2, 7, 3, 5, true, false),
                new Extents(2, 7, 2, 4, false, true),
                new Extents(1, 61, 2, 16, true, false),
                new Extents(3, 61, 1, 33, true, true),
                new Extents(2, 93, 2, 32, false, false),
                new Extents(1, 127, 3, 64, true, false),
                new Extents(1, 70, 1, 128, true, false))
            .flatMap(AttentionCases::of),
        Stream.of(cached(1, 9), cached(3, 64), cached(2, 127)));
  }

  private static Stream<OperationCase> of(Extents e) {
    return Stream.of(
        forward(e, Dropout.NONE),
        forward(e, DROPOUT),
        backward(e, Dropout.NONE),
        backward(e, DROPOUT));
  }

  /** Rows are averages of up to T values, by weights that carry a relative error of about 1e-6. */
  private static final Tolerance FORWARD = new Tolerance(4e-6, 4e-6);

  public static OperationCase forward(Extents e, Dropout dropout) {
    return new OperationCase(
        "AttentionForward " + e + label(dropout), w -> forward(w, e, dropout), FORWARD);
  }

  private static String label(Dropout dropout) {
    return dropout.probability() > 0 ? " dropout" : "";
  }

  private static Attention attention(Workspace w, Extents e, Dropout dropout) {
    int[] lengths =
        IntStream.range(0, e.batch()).map(b -> Math.max(1, e.length() - 3 * b)).toArray();
    Tensor keyLengths = e.padded() ? w.integers("keyLengths", lengths, e.batch()) : null;
    return new Attention(
        e.batch(),
        e.heads(),
        e.headSize(),
        e.length(),
        e.length(),
        0,
        e.causal(),
        keyLengths,
        dropout);
  }

  private static AttentionForward forward(Workspace w, Extents e, Dropout dropout) {
    int columns = e.heads() * e.headSize();
    long rows = (long) e.batch() * e.length();
    Tensor packed = w.input("qkv", rows, 3L * columns);
    return new AttentionForward(
        attention(w, e, dropout),
        new Projection(packed, 0, e.length()),
        new Projection(packed, columns, e.length()),
        new Projection(packed, 2 * columns, e.length()),
        w.output("y", rows, columns),
        w.output("logSumExp", e.batch(), e.heads(), e.length()));
  }

  public static OperationCase backward(Extents e, Dropout dropout) {
    Map<String, float[]> saved = Workspace.reference(w -> forward(w, e, dropout));
    Gradient gradient =
        new Gradient(w -> forward(w, e, dropout), Map.of("dQkv", "qkv"), Gradient.dot("y", "dy"));
    return new OperationCase(
            "AttentionBackward " + e + label(dropout),
            w -> backward(w, e, dropout, saved),
            // Sums over up to T rows of products of normal values, with the forward's errors.
            new Tolerance(4e-6, 1e-5 * Math.sqrt(e.length())))
        .withGradient(e.length() < 10 ? gradient : null);
  }

  private static AttentionBackward backward(
      Workspace w, Extents e, Dropout dropout, Map<String, float[]> saved) {
    int columns = e.heads() * e.headSize();
    long rows = (long) e.batch() * e.length();
    Tensor packed = w.input("qkv", rows, 3L * columns);
    AttentionForward forward =
        new AttentionForward(
            attention(w, e, dropout),
            new Projection(packed, 0, e.length()),
            new Projection(packed, columns, e.length()),
            new Projection(packed, 2 * columns, e.length()),
            w.given("y", saved.get("y"), rows, columns),
            w.given("logSumExp", saved.get("logSumExp"), e.batch(), e.heads(), e.length()));
    Tensor gradient = w.output("dQkv", rows, 3L * columns);
    Tensor delta = w.output("delta", e.batch(), e.heads(), e.length());
    return new AttentionBackward(
        forward, w.input("dy", rows, columns), gradient, gradient, gradient, delta);
  }

  /** New queries at the end of a key/value cache with room to spare. */
  private static OperationCase cached(int queries, int keys) {
    int heads = 2;
    int headSize = 16;
    int room = keys + 5;
    return new OperationCase(
        "AttentionForward " + queries + " queries on a cache of " + keys,
        w -> {
          Attention attention =
              new Attention(
                  2, heads, headSize, queries, keys, keys - queries, true, null, Dropout.NONE);
          return new AttentionForward(
              attention,
              new Projection(w.input("q", 2L * queries, 32), 0, queries),
              new Projection(w.input("k", 2L * room, 32), 0, room),
              new Projection(w.input("v", 2L * room, 32), 0, room),
              w.output("y", 2L * queries, 32),
              w.output("logSumExp", 2, heads, queries));
        },
        FORWARD);
  }
}
