package org.sparkformer.bench;

import java.io.PrintWriter;
import java.util.Locale;

/** What {@code bench step} found, for people. */
record StepTable(PrintWriter out) {
  private static final int KERNELS_SHOWN = 16;

  void print(StepResult result) {
    printRun(result);
    printTimes(result);
    printResources(result);
    result.peers().forEach(this::printPeer);
    print("%n%-56s %8s %10s%n", "kernels of one step", "launches", "ms");
    result.kernels().stream().limit(KERNELS_SHOWN).forEach(this::printKernel);
    out.flush();
  }

  private void printRun(StepResult result) {
    print(
        "%s: %,d parameters, %,d tokens a step, %s%n%s%n",
        result.configuration(),
        result.parameters(),
        result.tokensPerStep(),
        result.dtype(),
        result.device());
  }

  private void printTimes(StepResult result) {
    print(
        "%,.0f tokens/s, step %.1f ms (%.1f to %.1f): forward %.1f, backward %.1f, optimizer %.1f,"
            + " all-reduce %.1f, data %.2f%n",
        result.tokensPerSecond(),
        result.stepMs(),
        result.stepMsMin(),
        result.stepMsMax(),
        result.forwardMs(),
        result.backwardMs(),
        result.optimizerMs(),
        result.allReduceMs(),
        result.dataMs());
  }

  private void printResources(StepResult result) {
    Double utilisation = result.modelFlopsUtilisation();
    print(
        "%.0f launches and %.1f host waits a step, %d new buffers; peak %,d MiB on the device, %,d"
            + " MiB resident; model FLOP/s utilisation %s%n",
        result.launches(),
        result.hostWaits(),
        result.newBuffers(),
        result.peakDeviceBytes() >> 20,
        result.peakHostBytes() >> 20,
        utilisation == null
            ? "not known: no ceiling of tensor cores is measured"
            : "%.0f%%".formatted(100 * utilisation));
  }

  private void printPeer(StepResult.Peer peer) {
    print(
        "%s: %,.0f tokens/s, step %.1f ms; ours is %.2f times as fast (%.2f to %.2f)%n  %s%n",
        peer.name(),
        peer.tokensPerSecond(),
        peer.stepMs(),
        peer.ratio(),
        peer.ratioMin(),
        peer.ratioMax(),
        peer.runs());
  }

  private void printKernel(StepResult.KernelTime kernel) {
    print("%-56s %8d %10.3f%n", kernel.kernel(), kernel.launches(), kernel.milliseconds());
  }

  private void print(String format, Object... values) {
    out.printf(Locale.ROOT, format, values);
  }
}
