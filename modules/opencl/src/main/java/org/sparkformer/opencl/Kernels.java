package org.sparkformer.opencl;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.sparkformer.opencl.kernels.AdamWKernels;
import org.sparkformer.opencl.kernels.AmxAttentionBackward;
import org.sparkformer.opencl.kernels.AmxAttentionForward;
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
import org.sparkformer.opencl.kernels.WarpGroupMatMul;

/** The specialisations that there are. */
final class Kernels {
  private Kernels() {}

  /**
   * Those of other files than these.
   *
   * @param files names without .cl
   * @throws IllegalArgumentException if there is no such file, listing those that there are
   */
  static List<Specialisation<?>> without(Set<String> files) {
    Set<String> known =
        standard().stream().map(Kernels::file).collect(Collectors.toCollection(TreeSet::new));
    if (!known.containsAll(files)) {
      throw new IllegalArgumentException(
          "SPARKFORMER_WITHOUT: not all of %s are kernel files; there are %s"
              .formatted(new TreeSet<>(files), known));
    }
    return standard().stream().filter(each -> !files.contains(file(each))).toList();
  }

  /** The files of kernels that are made for a device, with .cl. */
  static Set<String> files(DeviceInfo device) {
    return standard().stream()
        .filter(each -> each.runsOn(device))
        .map(each -> file(each) + ".cl")
        .collect(Collectors.toSet());
  }

  /** The name of a specialisation's kernel file, without .cl. */
  static String file(Specialisation<?> specialisation) {
    return specialisation.description().split("\\.cl", 2)[0];
  }

  /** In the order in which they are asked. */
  static List<Specialisation<?>> standard() {
    return Stream.of(
            Stream.of(
                    HostArithmetic.SPLIT,
                    HostArithmetic.TILES,
                    HostArithmetic.PAIRS,
                    HostArithmetic.FP32)
                .map(PackedMatMul::new)
                .toList(),
            List.of(new WarpGroupMatMul(), new TensorMatMul(), new TiledMatMul()),
            TensorAttentionForward.all(),
            TensorAttentionBackward.all(),
            AmxAttentionForward.all(),
            AmxAttentionBackward.all(),
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
