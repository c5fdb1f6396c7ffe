package org.sparkformer.opencl;

import java.util.List;
import java.util.stream.Stream;
import org.sparkformer.opencl.kernels.AdamWKernels;
import org.sparkformer.opencl.kernels.ElementwiseKernels;
import org.sparkformer.opencl.kernels.EmbeddingKernels;
import org.sparkformer.opencl.kernels.HostArithmetic;
import org.sparkformer.opencl.kernels.LayerNormKernels;
import org.sparkformer.opencl.kernels.PackedMatMul;
import org.sparkformer.opencl.kernels.ReductionKernels;
import org.sparkformer.opencl.kernels.SoftmaxCrossEntropyKernels;
import org.sparkformer.opencl.kernels.TensorAttentionBackward;
import org.sparkformer.opencl.kernels.TensorAttentionForward;
import org.sparkformer.opencl.kernels.TensorMatMul;
import org.sparkformer.opencl.kernels.TiledAttentionBackward;
import org.sparkformer.opencl.kernels.TiledAttentionForward;
import org.sparkformer.opencl.kernels.TiledMatMul;

/** The specialisations that there are. */
final class Kernels {
  private Kernels() {}

  /** In the order in which they are asked. */
  static List<Specialisation<?>> standard() {
    return Stream.of(
            Stream.of(HostArithmetic.TILES, HostArithmetic.PAIRS, HostArithmetic.FP32)
                .map(PackedMatMul::new)
                .toList(),
            List.of(new TensorMatMul(), new TiledMatMul()),
            List.of(new TensorAttentionForward(), new TensorAttentionBackward()),
            TiledAttentionForward.all(),
            TiledAttentionBackward.all(),
            ElementwiseKernels.all(),
            LayerNormKernels.all(),
            SoftmaxCrossEntropyKernels.all(),
            EmbeddingKernels.all(),
            AdamWKernels.all(),
            ReductionKernels.all())
        .<Specialisation<?>>flatMap(List::stream)
        .toList();
  }
}
