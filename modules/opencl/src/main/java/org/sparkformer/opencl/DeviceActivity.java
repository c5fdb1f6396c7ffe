package org.sparkformer.opencl;

/**
 * What was asked of a device since its backend was opened.
 *
 * @param launches kernels queued
 * @param reads copies to the host, each of which waits
 * @param writes copies from the host
 * @param started copies either way that were started, to be waited for later
 * @param waits times that the host waited for the queue, reads among them
 * @param buffers buffers taken from the driver
 */
public record DeviceActivity(
    long launches, long reads, long writes, long started, long waits, long buffers) {

  /** What came on top of an earlier count. */
  public DeviceActivity since(DeviceActivity earlier) {
    return new DeviceActivity(
        launches - earlier.launches,
        reads - earlier.reads,
        writes - earlier.writes,
        started - earlier.started,
        waits - earlier.waits,
        buffers - earlier.buffers);
  }
}
