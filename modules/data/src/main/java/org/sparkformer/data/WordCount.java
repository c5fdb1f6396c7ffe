package org.sparkformer.data;

/** How often a piece of the pre-tokenizer occurs in a corpus. */
public record WordCount(String word, long count) {}
