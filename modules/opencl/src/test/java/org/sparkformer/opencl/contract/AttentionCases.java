package org.sparkformer.opencl.contract;

import static java.util.function.Function.identity;
import static org.sparkformer.opencl.contract.AttentionForm.APART;
import static org.sparkformer.opencl.contract.AttentionForm.PACKED;

import java.util.List;
import java.util.stream.Stream;
import org.sparkformer.opencl.contract.AttentionVariant.Extents;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.ops.Dropout;

/** Attention over a packed query-key-value matrix, over a key/value cache, masked and dropped. */
public final class AttentionCases {
  private static final Dropout DROPOUT = new Dropout(0.2f, 99, 5, 2, 1000);
  private static final Dropout WITHIN = new Dropout(0.2f, 99, 5, 2, 1002);

  /** Queries or keys in three of a GPU's largest tiles, of 64, of which the last has one. */
  private static final int THREE_TILES = 2 * 64 + 1;

  private AttentionCases() {}

  /** Without dropout, and with it. */
  private static Stream<AttentionVariant> exact(Extents extents) {
    return Stream.of(Dropout.NONE, DROPOUT)
        .map(dropout -> new AttentionVariant(extents, dropout, DType.FLOAT32));
  }

  /** Fewer, as each takes seconds to compile for. */
  private static Stream<AttentionVariant> roundingVariants() {
    return Stream.of(
        new AttentionVariant(new Extents(2, 7, 3, 5, true, false), Dropout.NONE, DType.BFLOAT16),
        new AttentionVariant(new Extents(3, 61, 1, 33, true, true), DROPOUT, DType.BFLOAT16),
        new AttentionVariant(new Extents(2, 93, 2, 32, false, false), Dropout.NONE, DType.BFLOAT16),
        new AttentionVariant(
            new Extents(1, THREE_TILES, 3, 64, true, false), Dropout.NONE, DType.BFLOAT16),
        new AttentionVariant(new Extents(1, 70, 1, 128, true, false), Dropout.NONE, DType.BFLOAT16),
        // Heads enough for work-groups that hold whole ones.
        new AttentionVariant(new Extents(5, 131, 2, 33, true, true), DROPOUT, DType.BFLOAT16));
  }

  /** Of a BERT, whose queries, keys and values are three matrices. */
  private static Stream<AttentionVariant> apartVariants() {
    return Stream.of(
        new AttentionVariant(new Extents(3, 61, 1, 33, false, true), DROPOUT, DType.FLOAT32),
        new AttentionVariant(new Extents(2, 93, 2, 32, false, true), DROPOUT, DType.BFLOAT16));
  }

  /** Long enough for tiles of more vectors, with heads enough for a part of one compute unit. */
  private static final List<AttentionVariant> LONG =
      List.of(
          new AttentionVariant(new Extents(2, 523, 2, 20, true, false), DROPOUT, DType.FLOAT32),
          new AttentionVariant(
              new Extents(2, 523, 1, 33, false, true), Dropout.NONE, DType.FLOAT32),
          // Heads enough for work-groups that hold whole ones in parts.
          new AttentionVariant(new Extents(5, 131, 2, 33, true, true), DROPOUT, DType.FLOAT32));

  /** Of heads enough for work-groups that own whole ones. */
  private static final AttentionVariant KEPT_WHOLE =
      new AttentionVariant(new Extents(5, 71, 7, 20, true, true), DROPOUT, DType.FLOAT32);

  /** Of heads that tensor cores read where they lie. */
  private static final List<AttentionVariant> IN_WHOLE_COPIES =
      List.of(
          new AttentionVariant(new Extents(2, 61, 3, 32, true, true), DROPOUT, DType.BFLOAT16),
          new AttentionVariant(
              new Extents(2, 71, 2, 64, true, false), Dropout.NONE, DType.BFLOAT16));

  private static Stream<AttentionVariant> exactVariants() {
    Stream<AttentionVariant> exact =
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
            .flatMap(AttentionCases::exact);
    // Four keys share a counter of dropout, unless the first element lies within one.
    Stream<AttentionVariant> sharing =
        Stream.of(
            new AttentionVariant(new Extents(2, 76, 2, 16, true, false), DROPOUT, DType.FLOAT32),
            new AttentionVariant(new Extents(5, 72, 7, 20, true, true), DROPOUT, DType.FLOAT32),
            new AttentionVariant(new Extents(5, 72, 7, 20, true, true), WITHIN, DType.FLOAT32));
    return Stream.concat(exact, sharing);
  }

  static Stream<OperationCase> all() {
    return Stream.of(
            both(Stream.concat(exactVariants(), roundingVariants())),
            kept(
                Stream.of(
                    new AttentionVariant(
                        new Extents(3, 61, 1, 33, true, true), DROPOUT, DType.BFLOAT16),
                    KEPT_WHOLE)),
            kept(IN_WHOLE_COPIES.stream()).map(OperationCase::aligned),
            apartVariants().flatMap(AttentionCases::apart),
            Stream.of(
                AttentionForm.cached(1, 9, DType.FLOAT32),
                AttentionForm.cached(3, 64, DType.FLOAT32),
                AttentionForm.cached(2, 127, DType.FLOAT32),
                AttentionForm.cached(3, 64, DType.BFLOAT16),
                AttentionForm.cached(2, 127, DType.BFLOAT16).withBfloat16("q", "k", "v", "y")))
        .flatMap(identity());
  }

  /** Longer than need be for GPUs, whose tiles do not grow. */
  static Stream<OperationCase> longer() {
    return both(LONG.stream());
  }

  /** Some of each kind, for processors that tests take the place of. */
  static Stream<OperationCase> some() {
    Stream<AttentionVariant> variants =
        Stream.of(
            new AttentionVariant(new Extents(2, 7, 3, 5, true, false), Dropout.NONE, DType.FLOAT32),
            new AttentionVariant(new Extents(2, 93, 2, 32, false, false), DROPOUT, DType.FLOAT32));
    return Stream.of(
            both(Stream.concat(variants, LONG.stream())),
            kept(Stream.of(KEPT_WHOLE)),
            Stream.of(AttentionForm.cached(3, 64, DType.FLOAT32)))
        .flatMap(identity());
  }

  /** Whose products may not round, in each form, with gradients of fp32. */
  static Stream<OperationCase> ofFloats() {
    return Stream.of(
            both(exactVariants()),
            longer(),
            keptInputs(KEPT_WHOLE),
            apartVariants()
                .filter(variant -> !variant.rounds())
                .flatMap(AttentionCases::apartInputs))
        .flatMap(identity());
  }

  /** Whose products may round their operands, in each form, with gradients of fp32. */
  static Stream<OperationCase> rounding() {
    return Stream.of(
            both(roundingVariants()),
            IN_WHOLE_COPIES.stream()
                .flatMap(AttentionCases::keptInputs)
                .map(OperationCase::aligned),
            apartVariants().filter(AttentionVariant::rounds).flatMap(AttentionCases::apartInputs))
        .flatMap(identity());
  }

  /** The same in heads of two sizes. */
  static Stream<OperationCase> someRounding() {
    return both(roundingVariants().skip(3));
  }

  /** Queries, keys, values and results that are bf16 themselves, and their gradients too. */
  private static Stream<OperationCase> kept(Stream<AttentionVariant> variants) {
    return variants.flatMap(
        variant ->
            Stream.concat(
                keptInputs(variant),
                Stream.of(
                    PACKED.backward(variant).withBfloat16("qkv", "y", "dQkv"),
                    PACKED.backward(variant).withBfloat16("qkv", "y", "dy", "dQkv"))));
  }

  /** With gradients of fp32. */
  private static Stream<OperationCase> keptInputs(AttentionVariant variant) {
    return Stream.of(
        PACKED.forward(variant).withBfloat16("qkv", "y"),
        PACKED.backward(variant).withBfloat16("qkv", "y"));
  }

  private static Stream<OperationCase> both(Stream<AttentionVariant> variants) {
    return variants.flatMap(variant -> Stream.of(PACKED.forward(variant), backward(variant)));
  }

  private static OperationCase backward(AttentionVariant variant) {
    boolean small = variant.extents().length() < 10 && !variant.rounds();
    return PACKED.backward(variant).withGradient(small ? AttentionForm.gradient(variant) : null);
  }

  private static Stream<OperationCase> apart(AttentionVariant variant) {
    return variant.rounds()
        ? Stream.concat(
            apartInputs(variant),
            Stream.of(APART.backward(variant).withBfloat16("q", "k", "v", "y", "dQ", "dK", "dV")))
        : apartInputs(variant);
  }

  /** With gradients of fp32. */
  private static Stream<OperationCase> apartInputs(AttentionVariant variant) {
    OperationCase forward = APART.forward(variant);
    Stream<OperationCase> kept =
        variant.rounds() ? Stream.of(forward.withBfloat16("q", "k", "v", "y")) : Stream.empty();
    return Stream.concat(Stream.of(forward, APART.backward(variant)), kept);
  }
}
