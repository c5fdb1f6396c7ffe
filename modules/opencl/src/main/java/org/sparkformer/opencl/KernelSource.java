package org.sparkformer.opencl;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * OpenCL C to compile.
 *
 * @param name for people: a file or an operation
 */
record KernelSource(String name, String text) {
  private static final String FOLDER = "/org/sparkformer/opencl/kernels/";
  private static final Pattern INCLUDE =
      Pattern.compile("^#include \"([^\"]+)\"$", Pattern.MULTILINE);

  /**
   * A {@code .cl} resource; lines {@code #include "other.cl"} are replaced by that resource.
   *
   * @throws IllegalArgumentException if there is no such resource
   */
  static KernelSource resource(String file) {
    return new KernelSource(file, INCLUDE.matcher(load(file)).replaceAll(KernelSource::included));
  }

  private static String included(MatchResult include) {
    return Matcher.quoteReplacement(resource(include.group(1)).text());
  }

  private static String load(String file) {
    try (InputStream stream = KernelSource.class.getResourceAsStream(FOLDER + file)) {
      if (stream == null) {
        throw new IllegalArgumentException("no kernel file " + FOLDER + file);
      }
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read kernel file " + FOLDER + file, e);
    }
  }
}
