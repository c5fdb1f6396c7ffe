package org.sparkformer.bench;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.List;

/**
 * What {@code bench step} found. Times are milliseconds, medians over the measured steps.
 *
 * @param parameters trainable parameters
 * @param tokensPerStep tokens of a global batch
 * @param stepMs wall time; {@code stepMsMin} and {@code stepMsMax} are its spread
 * @param forwardMs device time
 * @param backwardMs device time
 * @param optimizerMs device time of gradient norm and AdamW in the traced step
 * @param allReduceMs of the one rank that takes these steps, which has nobody to exchange with:
 *     what ranks wait for each other is measured by {@code bench ranks} and {@code bench hosts}
 * @param dataMs waiting for tokens
 * @param launches kernels a step
 * @param hostWaits times a step that the host waited for the device: for the loss, for the end of
 *     the step and for the gradient norm, of which only logged steps have the last two, and the
 *     benchmark logs every step
 * @param markWaits those of them that read no value: throttles, which keep the host one step ahead.
 *     None where every step is logged; a step that is not has this one alone
 * @param newBuffers buffers taken from the driver in all measured steps
 * @param peakDeviceBytes most bytes that the pool ever held
 * @param peakHostBytes most resident bytes of this process, device memory included on a CPU
 * @param modelFlopsUtilisation of the measured rate of multiply-adds of the precision's operands,
 *     counting 6 N + 12 L C T operations a token (Chowdhery et al., arXiv:2204.02311, appendix B),
 *     N without position embeddings; null where there is no ceiling to measure
 * @param kernels device time of the traced step by kernel, the longest first
 */
@JsonNaming(SnakeCaseStrategy.class)
record StepResult(
    String configuration,
    String device,
    String dtype,
    long parameters,
    long tokensPerStep,
    double tokensPerSecond,
    double stepMs,
    double stepMsMin,
    double stepMsMax,
    double forwardMs,
    double backwardMs,
    double optimizerMs,
    double allReduceMs,
    double dataMs,
    double launches,
    double hostWaits,
    double markWaits,
    long newBuffers,
    long peakDeviceBytes,
    long peakHostBytes,
    Double modelFlopsUtilisation,
    List<Peer> peers,
    List<KernelTime> kernels) {

  /**
   * A peer's side.
   *
   * @param ratio median over rounds of (its step / our step); above 1 we are faster
   */
  @JsonNaming(SnakeCaseStrategy.class)
  record Peer(
      String name,
      Object runs,
      double tokensPerSecond,
      double stepMs,
      double ratio,
      double ratioMin,
      double ratioMax) {}

  /** Launches of a kernel in one step and their device time. */
  @JsonNaming(SnakeCaseStrategy.class)
  record KernelTime(String kernel, int launches, double milliseconds) {}
}
