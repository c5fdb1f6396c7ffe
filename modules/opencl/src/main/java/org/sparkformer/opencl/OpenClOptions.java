package org.sparkformer.opencl;

import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How a device is opened.
 *
 * @param part which part of the device, from 0
 * @param parts into how many parts the ranks of this host divide it; only CPU devices can be
 *     divided, others are shared whole
 * @param memoryLimit bytes that the pool may take; 0 for its part of all the device has
 * @param cache folder of compiled programs
 * @param tuned file of kernel values that a tuner found; there may be none
 * @param without kernel files that are not to be used, by their names without .cl
 * @param specialised false to run every operation by its definition
 */
public record OpenClOptions(
    int part,
    int parts,
    long memoryLimit,
    Path cache,
    Path tuned,
    Set<String> without,
    boolean specialised) {

  public OpenClOptions {
    if (parts < 1 || part < 0 || part >= parts) {
      throw new IllegalArgumentException("part " + part + " of " + parts + " parts of a device");
    }
    if (memoryLimit < 0) {
      throw new IllegalArgumentException("memory limit must not be negative: " + memoryLimit);
    }
    without = Set.copyOf(without);
  }

  /**
   * The whole device; programs are cached in the folder that the environment variable
   * SPARKFORMER_CACHE names, else in ~/.cache/sparkformer. Tuned values are those in tuned.json
   * there, or in the file that SPARKFORMER_TUNED names. SPARKFORMER_WITHOUT names kernel files,
   * parted by commas, that are not to be used: for comparisons, or where one fails.
   */
  public static OpenClOptions defaults() {
    Path home = Path.of(System.getProperty("user.home"), ".cache", "sparkformer");
    Path folder = named("SPARKFORMER_CACHE", home);
    Path tuned = named("SPARKFORMER_TUNED", folder.resolve("tuned.json"));
    return new OpenClOptions(0, 1, 0, folder.resolve("opencl"), tuned, leftOut(), true);
  }

  private static Set<String> leftOut() {
    String names = System.getenv().getOrDefault("SPARKFORMER_WITHOUT", "");
    return Stream.of(names.split(","))
        .map(String::strip)
        .filter(name -> !name.isEmpty())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Path named(String variable, Path otherwise) {
    String value = System.getenv(variable);
    return value == null || value.isBlank() ? otherwise : Path.of(value);
  }

  public OpenClOptions withPart(int part, int parts) {
    return new OpenClOptions(part, parts, memoryLimit, cache, tuned, without, specialised);
  }

  public OpenClOptions withMemoryLimit(long bytes) {
    return new OpenClOptions(part, parts, bytes, cache, tuned, without, specialised);
  }

  public OpenClOptions withCache(Path folder) {
    return new OpenClOptions(part, parts, memoryLimit, folder, tuned, without, specialised);
  }

  public OpenClOptions withTuned(Path file) {
    return new OpenClOptions(part, parts, memoryLimit, cache, file, without, specialised);
  }

  public OpenClOptions without(Set<String> files) {
    return new OpenClOptions(part, parts, memoryLimit, cache, tuned, files, specialised);
  }

  public OpenClOptions withSpecialised(boolean specialised) {
    return new OpenClOptions(part, parts, memoryLimit, cache, tuned, without, specialised);
  }
}
