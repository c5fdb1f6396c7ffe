package org.sparkformer.opencl;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * PTX of a program that has instructions of compute capability 9.0 alone (wgmma). OpenCL C is
 * compiled for the target sm_90, which refuses them, so {@code hopper.cl} writes them as comments;
 * the same text with sm_90a for its target and without the comments' beginnings is what is meant.
 *
 * <p>The way is that of hfp/libxstream (samples/ozaki), which found NVIDIA's driver to take such
 * PTX by clCreateProgramWithBinary.
 */
final class HopperPtx {
  /** Begins the lines that are comments for sm_90. */
  static final String MARK = "//sm_90a ";

  /** Another whenever {@link #of} makes something else of a text. */
  static final String RULES = "sm_90a 1";

  /** The first version of PTX with wgmma. */
  private static final double OLDEST = 8.0;

  private static final Pattern VERSION =
      Pattern.compile("^\\.version\\s+(\\d+\\.\\d+)", Pattern.MULTILINE);
  private static final Pattern TARGET =
      Pattern.compile("^\\.target\\s+sm_90(?=[\\s,])", Pattern.MULTILINE);
  private static final Pattern MARKED =
      Pattern.compile("^(\\s*)" + Pattern.quote(MARK), Pattern.MULTILINE);

  private HopperPtx() {}

  /** Whether a program for this device has to be made anew from its PTX. */
  static boolean isNeeded(KernelSource source, DeviceInfo device) {
    return device.takesPtx() && source.text().contains(MARK);
  }

  /**
   * @param ptx as OpenCL C was compiled to
   * @throws OpenClException if it is something else, which the message says
   */
  static String of(String ptx) {
    Matcher version = VERSION.matcher(ptx);
    Matcher target = TARGET.matcher(ptx);
    if (!version.find() || !target.find()) {
      throw new OpenClException(
          "the driver's binary of a program is not PTX for sm_90: " + beginning(ptx));
    }
    if (Double.parseDouble(version.group(1)) < OLDEST) {
      throw new OpenClException(
          "the driver's PTX %s is older than %s, which has wgmma; update the driver"
              .formatted(version.group(1), OLDEST));
    }
    if (!MARKED.matcher(ptx).find()) {
      throw new OpenClException(
          "the driver's PTX has lost the comments that begin " + MARK.strip());
    }
    return MARKED.matcher(target.replaceFirst("$0a")).replaceAll("$1");
  }

  private static String beginning(String ptx) {
    String directives =
        ptx.lines()
            .filter(line -> line.startsWith(".version") || line.startsWith(".target"))
            .collect(Collectors.joining(", "));
    return directives.isEmpty() ? "it has neither .version nor .target" : "it has " + directives;
  }
}
