package org.sparkformer.opencl.contract;

import java.util.function.Supplier;
import java.util.stream.Stream;

/** All cases of all operations. */
public final class Cases {
  private Cases() {}

  public static Stream<OperationCase> all() {
    return Stream.<Supplier<Stream<OperationCase>>>of(
            ElementwiseCases::all,
            LayerNormCases::all,
            SoftmaxCrossEntropyCases::all,
            EmbeddingCases::all,
            AdamWCases::all,
            ReductionCases::all,
            MatMulCases::all,
            AttentionCases::all)
        .flatMap(Supplier::get);
  }
}
