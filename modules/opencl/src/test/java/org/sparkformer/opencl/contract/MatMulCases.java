package org.sparkformer.opencl.contract;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.ops.MatMul;

/** Matrix products: all transposes, batched, with bias, GELU and accumulation. */
public final class MatMulCases {
  private MatMulCases() {}

  /** C is [M, N], the sum runs over K. */
  public record Extents(int batch, int m, int n, int k) {}

  /** What is fused to the product. */
  public enum Epilogue {
    NONE,
    ACCUMULATE,
    BIAS,
    BIAS_AND_GELU,
    BIAS_AND_EXACT_GELU
  }

  private static final Extents DEEP = new Extents(1, 93, 127, 900);

  // Where few tiles share a long inner product, of which a GPU makes parts.
  private static final Extents LONG = new Extents(1, 33, 61, 2100);

  // Rows of bf16 in whole copies of 8, which tensor cores multiply as they lie; one of them in
  // parts.
  private static final List<Extents> IN_WHOLE_COPIES =
      List.of(
          new Extents(1, 72, 136, 104),
          new Extents(2, 72, 40, 2104),
          new Extents(1, 136, 264, 1032));

  // Where many blocks use A, B, or both.
  static final Extents WIDE = new Extents(1, 101, 1931, 801);
  static final Extents TALL = new Extents(1, 2101, 131, 801);
  static final Extents PACKED = new Extents(1, 2101, 1931, 17);

  static Stream<OperationCase> all() {
    return Stream.of(small(), fewColumns(), exact(), large(), kept(), aligned(), filledUp())
        .flatMap(Function.identity());
  }

  /**
   * Those whose operands are rounded to bf16, but for rows that are filled up, which processors
   * leave to the definition.
   */
  static Stream<OperationCase> rounding() {
    return Stream.of(small(), fewColumns(), exact(), large(), kept(), aligned())
        .flatMap(Function.identity())
        .filter(test -> test.name().contains("of bf16"));
  }

  /** Those of fp32. */
  static Stream<OperationCase> ofFloats() {
    return Stream.of(small(), fewColumns(), exact(), large())
        .flatMap(Function.identity())
        .filter(test -> !test.name().contains("of bf16"));
  }

  /** Some of each kind, for processors that tests take the place of. */
  static Stream<OperationCase> some() {
    return Stream.of(
            forms(new Extents(2, 61, 19, 127)),
            Stream.of(
                of(DEEP, false, true, Epilogue.BIAS_AND_EXACT_GELU),
                of(PACKED, false, true, Epilogue.NONE),
                of(PACKED, true, false, Epilogue.ACCUMULATE)),
            kept(new Extents(1, 61, 93, 7)))
        .flatMap(Function.identity());
  }

  /** In several parts along k, of which little local memory makes more. */
  static Stream<OperationCase> deep() {
    return forms(DEEP);
  }

  /** Of more rows than a processor's block has, and deeper. */
  static Stream<OperationCase> tall() {
    return forms(TALL);
  }

  /**
   * Those whose A, or both operands, are packed by launches of their own where 8 compute units or
   * more share a product; tensors that are bf16 among them.
   */
  static Stream<OperationCase> packedByManyUnits() {
    return Stream.of(forms(WIDE), forms(PACKED), kept(PACKED).map(MatMulCases::rounded))
        .flatMap(Function.identity());
  }

  /** Tensors that are bf16 themselves, in the forms in which training has them and one more. */
  private static Stream<OperationCase> kept() {
    Stream<OperationCase> rounded =
        Stream.of(
                new Extents(1, 3, 7, 61),
                new Extents(2, 61, 33, 127),
                new Extents(1, 301, 331, 700))
            .flatMap(MatMulCases::kept)
            .map(MatMulCases::rounded);
    return Stream.concat(rounded, kept(new Extents(1, 61, 93, 7)));
  }

  /** As training has them where all operands are bf16, and one whose C is fp32. */
  private static Stream<OperationCase> aligned() {
    return IN_WHOLE_COPIES.stream()
        .flatMap(
            e ->
                Stream.of(
                    of(e, false, false, Epilogue.BIAS_AND_GELU)
                        .withBfloat16("a", "b", "c", "activated"),
                    of(e, false, true, Epilogue.NONE).withBfloat16("a", "b", "c"),
                    of(e, false, true, Epilogue.NONE).withBfloat16("a", "b"),
                    of(e, true, false, Epilogue.ACCUMULATE).withBfloat16("a", "b")))
        .map(MatMulCases::rounded)
        .map(OperationCase::aligned);
  }

  /**
   * Rows filled up: of A with zeros, as those of a last layer's gradient, and of C as its logits.
   */
  private static Stream<OperationCase> filledUp() {
    return Stream.of(DEEP, LONG, new Extents(2, 40, 72, 2101))
        .flatMap(
            e ->
                Stream.of(
                    filledUp(e, false).withBfloat16("a", "b"),
                    filledUp(e, true).withBfloat16("a", "b"),
                    filledUpResult(e).withBfloat16("a", "b", "c")))
        .map(MatMulCases::rounded)
        .flatMap(test -> Stream.of(test, test.aligned()));
  }

  private static OperationCase filledUpResult(Extents e) {
    return new OperationCase(
        "MatMul %s B' C filled up".formatted(e),
        w ->
            new MatMul(
                w.input("a", extents(e.batch(), e.m(), e.k(), false)),
                w.input("b", extents(e.batch(), e.k(), e.n(), true)),
                w.partialOutput("c", extents(e.batch(), e.m(), MatMul.filledUp(e.n()), false)),
                false,
                true,
                false,
                w.input("bias", e.n()),
                null,
                false,
                DType.FLOAT32),
        Tolerance.sum(e.k()));
  }

  private static OperationCase filledUp(Extents e, boolean transposeA) {
    int rows = e.batch() * (transposeA ? e.k() : e.m());
    int columns = transposeA ? e.m() : e.k();
    int width = MatMul.filledUp(columns);
    float[] a = Workspace.normal("a", (long) rows * width);
    for (int row = 0; row < rows; row++) {
      Arrays.fill(a, row * width + columns, (row + 1) * width, 0);
    }
    long[] c = extents(e.batch(), e.m(), e.n(), false);
    return new OperationCase(
        "MatMul %s%s filled up".formatted(e, transposeA ? " A'" : ""),
        w ->
            new MatMul(
                w.given("a", a, extents(e.batch(), rows / e.batch(), width, false)),
                w.input("b", extents(e.batch(), e.k(), e.n(), false)),
                transposeA ? w.updated("c", c) : w.output("c", c),
                transposeA,
                false,
                transposeA,
                null,
                null,
                false,
                DType.FLOAT32),
        Tolerance.sum(e.k()));
  }

  private static Stream<OperationCase> kept(Extents e) {
    return Stream.of(
        of(e, false, false, Epilogue.BIAS_AND_GELU).withBfloat16("a", "b", "c", "activated"),
        of(e, false, true, Epilogue.BIAS).withBfloat16("a", "b", "c"),
        of(e, true, false, Epilogue.ACCUMULATE).withBfloat16("a"),
        of(e, true, false, Epilogue.ACCUMULATE).withBfloat16("b"),
        of(e, false, false, Epilogue.NONE).withBfloat16("b"),
        of(e, false, true, Epilogue.NONE).withBfloat16("b"));
  }

  private static Stream<OperationCase> small() {
    return Stream.of(
            new Extents(1, 1, 1, 1),
            new Extents(1, 3, 7, 61),
            new Extents(1, 61, 93, 7),
            new Extents(1, 127, 61, 93),
            DEEP,
            LONG,
            new Extents(1, 1, 768, 93),
            new Extents(3, 7, 61, 3),
            new Extents(2, 61, 33, 127))
        .flatMap(MatMulCases::of);
  }

  /** An odd number of vectors, 5 and 7 of 16: a tile is as wide as C on some processors. */
  private static Stream<OperationCase> fewColumns() {
    return Stream.of(new Extents(1, 127, 65, 93), new Extents(2, 61, 97, 33))
        .flatMap(MatMulCases::forms);
  }

  /** As a BERT has them, the second where operands are bf16; all else is as with GPT's GELU. */
  private static Stream<OperationCase> exact() {
    OperationCase test = of(new Extents(2, 61, 33, 127), false, true, Epilogue.BIAS_AND_EXACT_GELU);
    return Stream.of(test, rounded(test.withBfloat16("b", "c", "activated")));
  }

  /**
   * Large enough for operands to be packed by launches of their own: B everywhere, A where many
   * compute units share a product; some of them in more than one part along k.
   */
  private static Stream<OperationCase> large() {
    return Stream.of(WIDE, TALL, PACKED).flatMap(MatMulCases::forms);
  }

  /** A form for each transpose, with the epilogues among them. */
  private static Stream<OperationCase> forms(Extents e) {
    return Stream.of(
            of(e, false, false, Epilogue.BIAS_AND_GELU),
            of(e, false, true, Epilogue.NONE),
            of(e, true, false, Epilogue.ACCUMULATE))
        .flatMap(test -> Stream.of(test, rounded(test)));
  }

  private static Stream<OperationCase> of(Extents e) {
    Stream<OperationCase> transposes =
        Stream.of(
            of(e, false, true, Epilogue.NONE),
            of(e, true, false, Epilogue.NONE),
            of(e, true, true, Epilogue.NONE),
            of(e, true, false, Epilogue.ACCUMULATE),
            of(e, false, true, Epilogue.BIAS));
    Stream<OperationCase> all =
        Stream.concat(
            transposes,
            Stream.of(Epilogue.NONE, Epilogue.ACCUMULATE, Epilogue.BIAS, Epilogue.BIAS_AND_GELU)
                .map(epilogue -> of(e, false, false, epilogue)));
    return all.flatMap(test -> Stream.of(test, rounded(test)));
  }

  private static OperationCase rounded(OperationCase test) {
    return new OperationCase(
        test.name() + " of bf16",
        w -> ((MatMul) test.factory().apply(w)).with(DType.BFLOAT16),
        test.tolerance());
  }

  public static OperationCase of(
      Extents e, boolean transposeA, boolean transposeB, Epilogue epilogue) {
    String name =
        "MatMul %s%s%s %s".formatted(e, transposeA ? " A'" : "", transposeB ? " B'" : "", epilogue);
    return new OperationCase(
        name, w -> operation(w, e, transposeA, transposeB, epilogue), Tolerance.sum(e.k()));
  }

  private static MatMul operation(
      Workspace w, Extents e, boolean transposeA, boolean transposeB, Epilogue epilogue) {
    boolean accumulate = epilogue == Epilogue.ACCUMULATE;
    boolean bias = epilogue != Epilogue.NONE && !accumulate;
    boolean exact = epilogue == Epilogue.BIAS_AND_EXACT_GELU;
    boolean activated = exact || epilogue == Epilogue.BIAS_AND_GELU;
    long[] c = extents(e.batch(), e.m(), e.n(), false);
    return new MatMul(
        w.input("a", extents(e.batch(), e.m(), e.k(), transposeA)),
        w.input("b", extents(e.batch(), e.k(), e.n(), transposeB)),
        accumulate ? w.updated("c", c) : w.output("c", c),
        transposeA,
        transposeB,
        accumulate,
        bias ? w.input("bias", e.n()) : null,
        activated ? w.output("activated", c) : null,
        exact,
        DType.FLOAT32);
  }

  private static long[] extents(int batch, long rows, long columns, boolean transposed) {
    long first = transposed ? columns : rows;
    long second = transposed ? rows : columns;
    return batch == 1 ? new long[] {first, second} : new long[] {batch, first, second};
  }
}
