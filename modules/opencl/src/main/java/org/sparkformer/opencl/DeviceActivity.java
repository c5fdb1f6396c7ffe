package org.sparkformer.opencl;

/**
 * What was asked of a device since its backend was opened.
 *
 * @param launches kernels queued
 * @param reads copies to the host, each of which waits
 * @param writes copies from the host
 * @param started copies either way that were started, to be waited for later
 * @param waits times that the host waited for the device: for a read, a write too large to be
 *     staged, the end of all work in a queue, or a started copy or a mark that was not over yet
 * @param markWaits those of the waits that were for a mark. In a training step they are throttles,
 *     which keep the host one step ahead of the device, or show what hides an exchange; no value is
 *     read by them
 * @param buffers buffers taken from the driver
 */
public record DeviceActivity(
    long launches,
    long reads,
    long writes,
    long started,
    long waits,
    long markWaits,
    long buffers) {

  /** What came on top of an earlier count. */
  public DeviceActivity since(DeviceActivity earlier) {
    return new DeviceActivity(
        launches - earlier.launches,
        reads - earlier.reads,
        writes - earlier.writes,
        started - earlier.started,
        waits - earlier.waits,
        markWaits - earlier.markWaits,
        buffers - earlier.buffers);
  }
}
