package org.sparkformer.data;

/**
 * One sequence and what is to be predicted of it; arrays that are filled again and again.
 *
 * @param tokens T token ids
 * @param positions P places in the sequence, ascending
 * @param targets P token ids, each to be predicted at its position; negative to ignore
 */
public record Sequence(int[] tokens, int[] positions, int[] targets) {}
