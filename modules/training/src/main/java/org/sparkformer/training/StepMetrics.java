package org.sparkformer.training;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.io.Serializable;
import java.util.List;

/**
 * One logged step, a line of {@code metrics.jsonl}. Times are milliseconds. {@code step_ms}, {@code
 * tokens_per_second}, {@code data_wait_ms} and the all-reduce times are means over the steps since
 * the line before, evaluation and checkpoints left out; {@code forward_ms} and {@code backward_ms}
 * are device time of this step on rank 0.
 *
 * @param step optimizer steps done, counted from 1
 * @param loss mean cross-entropy of this step's global batch, nats a token
 * @param lr learning rate of this step
 * @param gradNorm global gradient norm before clipping
 * @param tokens tokens trained on so far, over all ranks
 * @param tokensPerSecond over all ranks
 * @param stepMs wall time
 * @param forwardMs forward passes, with what weights of other ranks are waited for; the gradient of
 *     the vocabulary projection is taken here
 * @param backwardMs backward passes
 * @param allreduceMs exchange of gradients, norms and weights with other ranks on rank 0:
 *     reduce-scatter and all-gathers, waiting for slower ranks included, copies to and from the
 *     device not
 * @param allreduceExposedMs what the exchange adds to the step: training waits for it while the
 *     device has nothing to compute; the last copies, which nothing hides either, included
 * @param reduceExposedMs of that, until the gradients are summed; the rest gathers weights
 * @param dataWaitMs waiting for tokens
 * @param rankStepMs {@code step_ms} of every rank, by rank, without its waits for other ranks: the
 *     largest is the rank that the others wait for
 * @param skipped batches skipped so far because their loss was a spike
 */
@JsonNaming(SnakeCaseStrategy.class)
public record StepMetrics(
    int step,
    double loss,
    double lr,
    double gradNorm,
    long tokens,
    double tokensPerSecond,
    double stepMs,
    double forwardMs,
    double backwardMs,
    double allreduceMs,
    double allreduceExposedMs,
    double reduceExposedMs,
    double dataWaitMs,
    List<Double> rankStepMs,
    int skipped)
    implements Serializable {}
