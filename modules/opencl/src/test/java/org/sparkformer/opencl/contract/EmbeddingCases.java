package org.sparkformer.opencl.contract;

import java.util.Map;
import java.util.stream.Stream;
import org.sparkformer.tensor.ops.EmbeddingBackward;
import org.sparkformer.tensor.ops.EmbeddingForward;

/** Embedding of tokens and positions. */
public final class EmbeddingCases {
  private static final int SPARE_POSITIONS = 5;

  private EmbeddingCases() {}

  /**
   * @param batch B
   * @param length T
   * @param vocabulary V
   * @param columns C
   */
  public record Extents(int batch, int length, int vocabulary, int columns) {}

  static Stream<OperationCase> all() {
    return Stream.of(
            new Extents(1, 1, 1, 1),
            new Extents(3, 7, 5, 3),
            new Extents(2, 61, 93, 7),
            new Extents(3, 31, 1, 61),
            new Extents(7, 9, 65, 127),
            new Extents(2, 93, 127, 768))
        .flatMap(EmbeddingCases::of);
  }

  private static Stream<OperationCase> of(Extents e) {
    Gradient gradient =
        new Gradient(
            w -> forward(w, e, 0),
            Map.of("dTokenWeight", "tokenWeight", "dPositionWeight", "positionWeight"),
            Gradient.dot("y", "dy"));
    Gradient rows =
        new Gradient(
            w -> gather(w, e), Map.of("dTokenWeight", "tokenWeight"), Gradient.dot("y", "dy"));
    boolean small = e.batch() * e.length() * e.columns() < 1000;
    return Stream.of(
        forward(e, 0),
        forward(e, 4),
        backward(e).withGradient(small ? gradient : null),
        gather(e),
        scatter(e).withGradient(small ? rows : null));
  }

  public static OperationCase forward(Extents e, int firstPosition) {
    return new OperationCase(
        "EmbeddingForward " + e + " from position " + firstPosition,
        w -> forward(w, e, firstPosition),
        Tolerance.EXACT);
  }

  private static EmbeddingForward forward(Workspace w, Extents e, int firstPosition) {
    return new EmbeddingForward(
        w.indices("tokens", e.vocabulary(), e.batch(), e.length()),
        w.input("tokenWeight", e.vocabulary(), e.columns()),
        w.input("positionWeight", e.length() + SPARE_POSITIONS, e.columns()),
        w.output("y", (long) e.batch() * e.length(), e.columns()),
        firstPosition);
  }

  private static OperationCase gather(Extents e) {
    return new OperationCase(
        "EmbeddingForward " + e + " without positions", w -> gather(w, e), Tolerance.EXACT);
  }

  private static EmbeddingForward gather(Workspace w, Extents e) {
    return new EmbeddingForward(
        w.indices("tokens", e.vocabulary(), e.batch(), e.length()),
        w.input("tokenWeight", e.vocabulary(), e.columns()),
        null,
        w.output("y", (long) e.batch() * e.length(), e.columns()),
        0);
  }

  private static OperationCase scatter(Extents e) {
    return new OperationCase(
        "EmbeddingBackward " + e + " without positions",
        w ->
            new EmbeddingBackward(
                w.indices("tokens", e.vocabulary(), e.batch(), e.length()),
                w.input("dy", (long) e.batch() * e.length(), e.columns()),
                w.updated("dTokenWeight", e.vocabulary(), e.columns()),
                null),
        Tolerance.sum((long) e.batch() * e.length()));
  }

  public static OperationCase backward(Extents e) {
    return new OperationCase(
        "EmbeddingBackward " + e,
        w ->
            new EmbeddingBackward(
                w.indices("tokens", e.vocabulary(), e.batch(), e.length()),
                w.input("dy", (long) e.batch() * e.length(), e.columns()),
                w.updated("dTokenWeight", e.vocabulary(), e.columns()),
                w.updated("dPositionWeight", e.length() + SPARE_POSITIONS, e.columns())),
        Tolerance.sum((long) e.batch() * e.length()));
  }
}
