package org.sparkformer.training;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.io.Serializable;

/**
 * An evaluation, a line of {@code metrics.jsonl}.
 *
 * @param step optimizer steps done before it
 * @param valLoss mean cross-entropy on the validation split, nats a token
 */
@JsonNaming(SnakeCaseStrategy.class)
public record EvaluationMetrics(int step, double valLoss) implements Serializable {}
