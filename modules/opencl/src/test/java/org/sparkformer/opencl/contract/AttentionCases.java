package org.sparkformer.opencl.contract;

import static java.util.function.Function.identity;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Attention;
import org.sparkformer.tensor.ops.AttentionBackward;
import org.sparkformer.tensor.ops.AttentionForward;
import org.sparkformer.tensor.ops.Dropout;
import org.sparkformer.tensor.ops.Projection;

/** Attention over a packed query-key-value matrix, over a key/value cache, masked and dropped. */
public final class AttentionCases {
  private static final Dropout DROPOUT = new Dropout(0.2f, 99, 5, 2, 1000);
  private static final Dropout WITHIN = new Dropout(0.2f, 99, 5, 2, 1002);

  /** Queries or keys in three of a GPU's largest tiles, of 64, of which the last has one. */
  private static final int THREE_TILES = 2 * 64 + 1;

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

  /** What an attention runs with, at some extents. */
  private record Variant(Extents extents, Dropout dropout, DType operands) {
    private static Stream<Variant> of(Extents extents) {
      return Stream.of(Dropout.NONE, DROPOUT)
          .map(dropout -> new Variant(extents, dropout, DType.FLOAT32));
    }

    /** Fewer, as each takes seconds to compile for. */
    private static Stream<Variant> rounding() {
      return Stream.of(
          new Variant(new Extents(2, 7, 3, 5, true, false), Dropout.NONE, DType.BFLOAT16),
          new Variant(new Extents(3, 61, 1, 33, true, true), DROPOUT, DType.BFLOAT16),
          new Variant(new Extents(2, 93, 2, 32, false, false), Dropout.NONE, DType.BFLOAT16),
          new Variant(
              new Extents(1, THREE_TILES, 3, 64, true, false), Dropout.NONE, DType.BFLOAT16),
          new Variant(new Extents(1, 70, 1, 128, true, false), Dropout.NONE, DType.BFLOAT16));
    }

    /** Of a BERT, whose queries, keys and values are three matrices. */
    private static Stream<Variant> apart() {
      return Stream.of(
          new Variant(new Extents(3, 61, 1, 33, false, true), DROPOUT, DType.FLOAT32),
          new Variant(new Extents(2, 93, 2, 32, false, true), DROPOUT, DType.BFLOAT16));
    }

    private boolean rounds() {
      return operands == DType.BFLOAT16;
    }

    @Override
    public String toString() {
      return extents
          + (dropout.probability() > 0 ? " dropout from " + dropout.firstElement() : "")
          + (rounds() ? " of bf16" : "");
    }

    /** Standard normal values; where products may round them, such that it changes none. */
    private Tensor input(Workspace w, String name, long... shape) {
      float[] values = Workspace.normal(name, shape);
      for (int i = 0; i < values.length && rounds(); i++) {
        values[i] = Float.intBitsToFloat(Float.floatToRawIntBits(values[i]) & 0xffff0000);
      }
      return w.given(name, values, shape);
    }
  }

  /** Long enough for tiles of more vectors, with heads enough for a part of one compute unit. */
  private static final List<Variant> LONG =
      List.of(
          new Variant(new Extents(2, 523, 2, 20, true, false), DROPOUT, DType.FLOAT32),
          new Variant(new Extents(2, 523, 1, 33, false, true), Dropout.NONE, DType.FLOAT32));

  /** Of heads enough for work-groups that own whole ones. */
  private static final Variant KEPT_WHOLE =
      new Variant(new Extents(5, 71, 7, 20, true, true), DROPOUT, DType.FLOAT32);

  /** Of heads that tensor cores read where they lie. */
  private static final List<Variant> IN_WHOLE_COPIES =
      List.of(
          new Variant(new Extents(2, 61, 3, 32, true, true), DROPOUT, DType.BFLOAT16),
          new Variant(new Extents(2, 71, 2, 64, true, false), Dropout.NONE, DType.BFLOAT16));

  static Stream<OperationCase> all() {
    Stream<Variant> exact =
        Stream.of(
                new Extents(1, 1, 1, 1, true, false),
                new Extents(2, 7, 3, 5, true, false),
                new Extents(2, 7, 2, 4, false, true),
                new Extents(1, 61, 2, 16, true, false),
                new Extents(3, 61, 1, 33, true, true),
                new Extents(2, THREE_TILES, 2, 32, false, false),
                new Extents(1, 127, 3, 64, true, false),
                new Extents(1, 70, 1, 128, true, false),
                // Between 76 and 116, a GPU has room for the smallest tiles of attention alone.
                new Extents(1, 37, 1, 93, true, false),
                // Heads enough for work-groups that own whole ones.
                new Extents(5, 71, 7, 20, true, true),
                new Extents(4, 50, 9, 64, false, false))
            .flatMap(Variant::of);
    // Four keys share a counter of dropout, unless the first element lies within one.
    Stream<Variant> sharing =
        Stream.of(
            new Variant(new Extents(2, 76, 2, 16, true, false), DROPOUT, DType.FLOAT32),
            new Variant(new Extents(5, 72, 7, 20, true, true), DROPOUT, DType.FLOAT32),
            new Variant(new Extents(5, 72, 7, 20, true, true), WITHIN, DType.FLOAT32));
    return Stream.of(
            both(Stream.of(exact, sharing, Variant.rounding()).flatMap(identity())),
            kept(
                Stream.of(
                    new Variant(new Extents(3, 61, 1, 33, true, true), DROPOUT, DType.BFLOAT16),
                    KEPT_WHOLE)),
            kept(IN_WHOLE_COPIES.stream()).map(OperationCase::aligned),
            Variant.apart().flatMap(AttentionCases::apart),
            Stream.of(
                cached(1, 9, DType.FLOAT32),
                cached(3, 64, DType.FLOAT32),
                cached(2, 127, DType.FLOAT32),
                cached(3, 64, DType.BFLOAT16),
                cached(2, 127, DType.BFLOAT16).withBfloat16("q", "k", "v", "y")))
        .flatMap(identity());
  }

  /** Longer than need be for GPUs, whose tiles do not grow. */
  static Stream<OperationCase> longer() {
    return both(LONG.stream());
  }

  /** Some of each kind, for processors that tests take the place of. */
  static Stream<OperationCase> some() {
    Stream<Variant> variants =
        Stream.of(
            new Variant(new Extents(2, 7, 3, 5, true, false), Dropout.NONE, DType.FLOAT32),
            new Variant(new Extents(2, 93, 2, 32, false, false), DROPOUT, DType.FLOAT32));
    return Stream.of(
            both(Stream.concat(variants, LONG.stream())),
            kept(Stream.of(KEPT_WHOLE)),
            Stream.of(cached(3, 64, DType.FLOAT32)))
        .flatMap(identity());
  }

  /** Whose products may round their operands. */
  static Stream<OperationCase> rounding() {
    return both(Variant.rounding());
  }

  /** The same in heads of two sizes. */
  static Stream<OperationCase> someRounding() {
    return both(Variant.rounding().skip(3));
  }

  /** Queries, keys, values and results that are bf16 themselves, and their gradients too. */
  private static Stream<OperationCase> kept(Stream<Variant> variants) {
    return variants.flatMap(
        variant ->
            Stream.of(
                forward(variant).withBfloat16("qkv", "y"),
                backward(variant).withBfloat16("qkv", "y"),
                backward(variant).withBfloat16("qkv", "y", "dQkv")));
  }

  private static Stream<OperationCase> both(Stream<Variant> variants) {
    return variants.flatMap(variant -> Stream.of(forward(variant), backward(variant)));
  }

  /** Rows are averages of up to T values, by weights that carry a relative error of about 1e-6. */
  private static final Tolerance FORWARD = new Tolerance(4e-6, 4e-6);

  /** Rounded weights carry a relative error of up to 2^-9, and average normal values. */
  private static final Tolerance ROUNDED_FORWARD = new Tolerance(0x1p-9, 0x1p-8);

  private static OperationCase forward(Variant variant) {
    return new OperationCase(
        "AttentionForward " + variant,
        w -> forward(w, variant),
        variant.rounds() ? ROUNDED_FORWARD : FORWARD);
  }

  private static Attention attention(Workspace w, Variant variant) {
    Extents e = variant.extents();
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
        variant.dropout(),
        variant.operands());
  }

  private static AttentionForward forward(Workspace w, Variant variant) {
    Extents e = variant.extents();
    int columns = columns(e);
    long rows = rows(e);
    Tensor packed = variant.input(w, "qkv", rows, 3L * columns);
    return forward(
        w,
        variant,
        packed,
        w.output("y", rows, columns),
        w.output("logSumExp", e.batch(), e.heads(), e.length()));
  }

  private static Stream<OperationCase> apart(Variant variant) {
    Map<String, float[]> saved = Workspace.reference(w -> forwardApart(w, variant));
    String name = " of three matrices " + variant;
    OperationCase forward =
        new OperationCase(
            "AttentionForward" + name,
            w -> forwardApart(w, variant),
            variant.rounds() ? ROUNDED_FORWARD : FORWARD);
    OperationCase backward =
        new OperationCase(
            "AttentionBackward" + name,
            w -> backwardApart(w, variant, saved),
            variant.rounds() ? roundedBackward(variant.extents()) : backward(variant.extents()));
    Stream<OperationCase> kept =
        Stream.of(
            forward.withBfloat16("q", "k", "v", "y"),
            backward.withBfloat16("q", "k", "v", "y", "dQ", "dK", "dV"));
    return Stream.concat(
        Stream.of(forward, backward), variant.rounds() ? kept : Stream.<OperationCase>empty());
  }

  private static AttentionForward forwardApart(Workspace w, Variant variant) {
    Extents e = variant.extents();
    return forwardApart(
        w,
        variant,
        w.output("y", rows(e), columns(e)),
        w.output("logSumExp", e.batch(), e.heads(), e.length()));
  }

  private static AttentionForward forwardApart(
      Workspace w, Variant variant, Tensor y, Tensor logSumExp) {
    Extents e = variant.extents();
    return new AttentionForward(
        attention(w, variant),
        new Projection(variant.input(w, "q", rows(e), columns(e)), 0, e.length()),
        new Projection(variant.input(w, "k", rows(e), columns(e)), 0, e.length()),
        new Projection(variant.input(w, "v", rows(e), columns(e)), 0, e.length()),
        y,
        logSumExp);
  }

  private static AttentionBackward backwardApart(
      Workspace w, Variant variant, Map<String, float[]> saved) {
    Extents e = variant.extents();
    AttentionForward forward =
        forwardApart(
            w,
            variant,
            w.given("y", saved.get("y"), rows(e), columns(e)),
            w.given("logSumExp", saved.get("logSumExp"), e.batch(), e.heads(), e.length()));
    return new AttentionBackward(
        forward,
        variant.input(w, "dy", rows(e), columns(e)),
        w.output("dQ", rows(e), columns(e)),
        w.output("dK", rows(e), columns(e)),
        w.output("dV", rows(e), columns(e)),
        w.output("delta", e.batch(), e.heads(), e.length()));
  }

  private static long rows(Extents e) {
    return (long) e.batch() * e.length();
  }

  private static int columns(Extents e) {
    return e.heads() * e.headSize();
  }

  private static AttentionForward forward(
      Workspace w, Variant variant, Tensor packed, Tensor y, Tensor logSumExp) {
    Extents e = variant.extents();
    int columns = columns(e);
    return new AttentionForward(
        attention(w, variant),
        new Projection(packed, 0, e.length()),
        new Projection(packed, columns, e.length()),
        new Projection(packed, 2 * columns, e.length()),
        y,
        logSumExp);
  }

  private static OperationCase backward(Variant variant) {
    Map<String, float[]> saved = Workspace.reference(w -> forward(w, variant));
    Gradient gradient =
        new Gradient(w -> forward(w, variant), Map.of("dQkv", "qkv"), Gradient.dot("y", "dy"));
    boolean small = variant.extents().length() < 10 && !variant.rounds();
    return new OperationCase(
            "AttentionBackward " + variant,
            w -> backward(w, variant, saved),
            variant.rounds() ? roundedBackward(variant.extents()) : backward(variant.extents()))
        .withGradient(small ? gradient : null);
  }

  /** Sums over up to T rows of products of normal values, with the forward's errors. */
  private static Tolerance backward(Extents e) {
    return new Tolerance(4e-6, 1e-5 * Math.sqrt(e.length()));
  }

  /**
   * Rounded weights carry a relative error of up to 2^-9. Those that a key has with all queries add
   * up to 1 + 1/2 + ... + 1/T where a mask leaves the first query one key, the second two and so
   * on.
   */
  private static Tolerance roundedBackward(Extents e) {
    return new Tolerance(0x1p-9, 0x1p-8 * (1 + Math.log(e.length())));
  }

  private static AttentionBackward backward(
      Workspace w, Variant variant, Map<String, float[]> saved) {
    Extents e = variant.extents();
    int columns = columns(e);
    long rows = rows(e);
    AttentionForward forward =
        forward(
            w,
            variant,
            variant.input(w, "qkv", rows, 3L * columns),
            w.given("y", saved.get("y"), rows, columns),
            w.given("logSumExp", saved.get("logSumExp"), e.batch(), e.heads(), e.length()));
    Tensor gradient = w.output("dQkv", rows, 3L * columns);
    Tensor delta = w.output("delta", e.batch(), e.heads(), e.length());
    return new AttentionBackward(
        forward, variant.input(w, "dy", rows, columns), gradient, gradient, gradient, delta);
  }

  /** New queries at the end of a key/value cache with room to spare. */
  private static OperationCase cached(int queries, int keys, DType operands) {
    Variant variant = new Variant(new Extents(2, keys, 2, 16, true, false), Dropout.NONE, operands);
    Extents e = variant.extents();
    int room = keys + 5;
    return new OperationCase(
        "AttentionForward " + queries + " queries on a cache of " + variant,
        w -> {
          Attention attention =
              new Attention(
                  e.batch(),
                  e.heads(),
                  e.headSize(),
                  queries,
                  keys,
                  keys - queries,
                  true,
                  null,
                  Dropout.NONE,
                  operands);
          long rows = 2L * queries;
          return new AttentionForward(
              attention,
              new Projection(variant.input(w, "q", rows, columns(e)), 0, queries),
              new Projection(variant.input(w, "k", 2L * room, columns(e)), 0, room),
              new Projection(variant.input(w, "v", 2L * room, columns(e)), 0, room),
              w.output("y", rows, columns(e)),
              w.output("logSumExp", e.batch(), e.heads(), queries));
        },
        variant.rounds() ? ROUNDED_FORWARD : FORWARD);
  }
}
