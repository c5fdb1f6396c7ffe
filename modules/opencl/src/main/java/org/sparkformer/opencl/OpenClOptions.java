package org.sparkformer.opencl;

import java.nio.file.Path;

/**
 * How a device is opened.
 *
 * @param part which part of the device, from 0
 * @param parts into how many parts the ranks of this host divide it; only CPU devices can be
 *     divided, others are shared whole
 * @param memoryLimit bytes that the pool may take; 0 for its part of all the device has
 * @param cache folder of compiled programs
 * @param specialised false to run every operation by its definition
 */
public record OpenClOptions(
    int part, int parts, long memoryLimit, Path cache, boolean specialised) {

  public OpenClOptions {
    if (parts < 1 || part < 0 || part >= parts) {
      throw new IllegalArgumentException("part " + part + " of " + parts + " parts of a device");
    }
    if (memoryLimit < 0) {
      throw new IllegalArgumentException("memory limit must not be negative: " + memoryLimit);
    }
  }

  /**
   * The whole device; programs are cached in the folder that the environment variable
   * SPARKFORMER_CACHE names, else in ~/.cache/sparkformer.
   */
  public static OpenClOptions defaults() {
    String cache = System.getenv("SPARKFORMER_CACHE");
    Path folder =
        cache == null || cache.isBlank()
            ? Path.of(System.getProperty("user.home"), ".cache", "sparkformer")
            : Path.of(cache);
    return new OpenClOptions(0, 1, 0, folder.resolve("opencl"), true);
  }

  public OpenClOptions withPart(int part, int parts) {
    return new OpenClOptions(part, parts, memoryLimit, cache, specialised);
  }

  public OpenClOptions withMemoryLimit(long bytes) {
    return new OpenClOptions(part, parts, bytes, cache, specialised);
  }

  public OpenClOptions withCache(Path folder) {
    return new OpenClOptions(part, parts, memoryLimit, folder, specialised);
  }

  public OpenClOptions withSpecialised(boolean specialised) {
    return new OpenClOptions(part, parts, memoryLimit, cache, specialised);
  }
}
