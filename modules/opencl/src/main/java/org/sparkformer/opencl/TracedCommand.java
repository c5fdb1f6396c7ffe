package org.sparkformer.opencl;

/**
 * One command that a device ran.
 *
 * @param name kernel file and entry point, or the kind of copy
 * @param start device clock, nanoseconds
 * @param end device clock, nanoseconds
 */
public record TracedCommand(String name, long start, long end) {}
