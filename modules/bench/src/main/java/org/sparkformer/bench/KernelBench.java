package org.sparkformer.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.sparkformer.opencl.Ceilings;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.tensor.ops.MatMul;

/** Times every operation of a training step against the device's ceilings and a peer. */
final class KernelBench {
  private final OpenClBackend backend;
  private final double peakGflops;
  private final double copyGbps;

  KernelBench(OpenClBackend backend) {
    this.backend = backend;
    Ceilings ceilings = new Ceilings(backend);
    this.peakGflops = Rounds.median(ceilings::gflops);
    this.copyGbps = Rounds.median(ceilings::copyGbps);
  }

  String ceilings() {
    return "ceilings measured here: %.0f GFLOP/s fp32 FMA, %.1f GB/s copy"
        .formatted(peakGflops, copyGbps);
  }

  /** Runs the cases of a model's shape; each row is handed on as soon as it is measured. */
  List<KernelRow> run(ModelShape model, String filter, Consumer<KernelRow> onRow) {
    List<KernelRow> rows = new ArrayList<>();
    try (KernelCases cases = new KernelCases(backend, model)) {
      for (KernelCase kernelCase : cases.all()) {
        if (kernelCase.op().contains(filter)) {
          KernelRow row = measure(kernelCase);
          onRow.accept(row);
          rows.add(row);
        }
      }
    }
    return rows;
  }

  private KernelRow measure(KernelCase kernelCase) {
    Rounds.Subject ours = Rounds.of(backend, kernelCase.operation());
    if (kernelCase.operation() instanceof MatMul product) {
      try (OpenBlas peer = new OpenBlas(product)) {
        double[][] times = Rounds.alternate(ours, peer);
        return row(kernelCase, times[0], times[1]);
      }
    }
    return row(kernelCase, Rounds.alternate(ours)[0], null);
  }

  private KernelRow row(KernelCase kernelCase, double[] ours, double[] peer) {
    double milliseconds = Rounds.median(ours);
    boolean computes = kernelCase.computeBound();
    double gflops = kernelCase.flops() / milliseconds / 1e6;
    double gbps = kernelCase.bytes() / milliseconds / 1e6;
    return new KernelRow(
        kernelCase.op(),
        kernelCase.shape(),
        kernelCase.direction(),
        "fp32",
        milliseconds,
        computes ? gflops : null,
        gbps,
        computes ? gflops / peakGflops : gbps / copyGbps,
        peer == null ? null : OpenBlas.NAME,
        peer == null ? null : kernelCase.flops() / Rounds.median(peer) / 1e6,
        peer == null ? null : Rounds.medianRatio(peer, ours));
  }
}
