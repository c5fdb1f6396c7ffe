package org.sparkformer.opencl.contract;

import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** All cases of all operations. */
public final class Cases {
  private Cases() {}

  public static Stream<OperationCase> all() {
    return Stream.of(ofRowsAndElements(), MatMulCases.all(), AttentionCases.all())
        .flatMap(Function.identity());
  }

  /** Those of operations other than products and attention. */
  static Stream<OperationCase> ofRowsAndElements() {
    return Stream.<Supplier<Stream<OperationCase>>>of(
            ElementwiseCases::all,
            LayerNormCases::all,
            SoftmaxCrossEntropyCases::all,
            EmbeddingCases::all,
            AdamWCases::all,
            ReductionCases::all)
        .flatMap(Supplier::get);
  }
}
