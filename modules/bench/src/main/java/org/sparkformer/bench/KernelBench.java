package org.sparkformer.bench;

import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Fill;
import org.sparkformer.tensor.ops.MatMul;

/** Times every operation of a training step against the device's ceilings and a peer. */
final class KernelBench {
  private final OpenClBackend backend;
  private final DType operands;
  private final Peaks peaks;

  /**
   * @param operands what products take their operands as, and a step keeps of what they read
   */
  KernelBench(OpenClBackend backend, DType operands) {
    this.backend = backend;
    this.operands = operands;
    this.peaks = new Peaks(backend);
  }

  String ceilings() {
    return peaks.describe(operands);
  }

  /** Runs the cases of a model's shape; each row is handed on as soon as it is measured. */
  void run(ModelShape model, String filter, Consumer<KernelRow> onRow) {
    try (KernelCases cases = new KernelCases(backend, model, operands)) {
      run(cases.all(), filter, onRow);
    }
  }

  /** Runs the products that no model has. */
  void runForms(String filter, Consumer<KernelRow> onRow) {
    try (ProductForms forms = new ProductForms(backend, operands)) {
      run(forms.all(), filter, onRow);
    }
  }

  private void run(List<KernelCase> cases, String filter, Consumer<KernelRow> onRow) {
    cases.stream()
        .filter(each -> each.op().contains(filter))
        .forEach(each -> onRow.accept(measure(each)));
  }

  /** C = A B of [m, k] and [k, n], without a peer. */
  KernelRow product(int m, int n, int k) {
    try (Tensor a = backend.floats(m, k);
        Tensor b = backend.floats(k, n);
        Tensor c = backend.floats(m, n)) {
      backend.run(new Fill(a, 0.5f));
      backend.run(new Fill(b, 0.25f));
      MatMul product = MatMul.of(a, b, c, false, false).with(operands);
      double flops = 2.0 * m * n * k;
      double bytes = a.bytes() + b.bytes() + c.bytes();
      String shape = "%dx%dx%d".formatted(m, n, k);
      KernelCase only = new KernelCase("matmul", shape, "forward", product, flops, bytes);
      return row(only, Rounds.alternate(Rounds.of(backend, product))[0], null);
    }
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
        kernelCase.dtype(),
        milliseconds,
        computes ? gflops : null,
        gbps,
        computes ? share(gflops, kernelCase) : Double.valueOf(gbps / peaks.copyGbps()),
        peer == null ? null : OpenBlas.name(),
        peer == null ? null : kernelCase.flops() / Rounds.median(peer) / 1e6,
        peer == null ? null : Rounds.medianRatio(peer, ours));
  }

  /** Of what multiplies such operands here; null where that has no ceiling. */
  private Double share(double gflops, KernelCase kernelCase) {
    OptionalDouble peak = peaks.gflops(kernelCase.multiplies(backend.device().kind()));
    return peak.isPresent() ? gflops / peak.getAsDouble() : null;
  }
}
