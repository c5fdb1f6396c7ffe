package org.sparkformer.opencl;

/**
 * One command that a device ran.
 *
 * @param queue that it was in
 * @param name kernel file and entry point, or the kind of copy
 * @param bytes that were copied; 0 for kernels
 * @param start device clock, nanoseconds
 * @param end device clock, nanoseconds
 */
public record TracedCommand(Queue queue, String name, long bytes, long start, long end) {
  /** A device's queues; those beside the first one hold copies alone. */
  public enum Queue {
    FIRST("kernels, and copies in order with them"),
    READS("copies to the host, beside kernels"),
    WRITES("copies from the host, beside kernels"),
    SIDE("copies to the host, for other threads");

    private final String label;

    Queue(String label) {
      this.label = label;
    }

    /** For people. */
    public String label() {
      return label;
    }
  }

  /** Whether it moved bytes between device and host, and ran no kernel. */
  public boolean isCopy() {
    return bytes > 0;
  }
}
