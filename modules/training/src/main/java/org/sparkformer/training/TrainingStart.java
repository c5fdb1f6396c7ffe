package org.sparkformer.training;

import java.io.Serializable;

/**
 * What a run is about to do.
 *
 * @param step steps already done, 0 unless resumed
 * @param steps steps of the whole run
 * @param ranks ranks sharing each step
 * @param parameters trainable parameters
 * @param device rank 0's device
 */
public record TrainingStart(int step, int steps, int ranks, long parameters, String device)
    implements Serializable {}
