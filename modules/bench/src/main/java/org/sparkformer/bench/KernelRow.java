package org.sparkformer.bench;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

/**
 * A line of the kernel table.
 *
 * @param milliseconds median of one run
 * @param gflops 1e9 floating-point operations a second; null where bytes decide
 * @param gbps 1e9 bytes a second that must at least move
 * @param shareOfPeak of the measured rate of multiply-adds of such operands, or of the measured
 *     copy bandwidth; null where there is no ceiling to measure, which is so for tensor cores
 * @param peer library that did the same in the same run, its version and the kernels that it ran;
 *     null where there is none
 * @param peerGflops its rate
 * @param ratio median over rounds of (peer's time / our time); above 1 is faster than the peer
 */
@JsonNaming(SnakeCaseStrategy.class)
record KernelRow(
    String op,
    String shape,
    String direction,
    String dtype,
    double milliseconds,
    Double gflops,
    double gbps,
    Double shareOfPeak,
    String peer,
    Double peerGflops,
    Double ratio) {}
