package org.sparkformer.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.global.openblas;

/**
 * The kernels that OpenBLAS has taken for this processor. Which they are it decides when it is
 * loaded, by the processor or by OPENBLAS_CORETYPE; {@code openblas_get_corename}, which would say
 * it, is not among the functions that JavaCPP wraps. But all it does is to look which table of
 * kernels the variable {@code gotoblas} points at (OpenBLAS, driver/others/dynamic.c), and the
 * tables have names.
 */
final class OpenBlasKernels {
  /** Kernels that use all of AVX-512. */
  private static final List<String> FOR_AVX512 =
      List.of("SkylakeX", "Cooperlake", "SapphireRapids");

  /** Those for older x86 processors; the order means nothing. */
  private static final List<String> OTHERS =
      List.of(
          "Zen",
          "Haswell",
          "Sandybridge",
          "Nehalem",
          "Core2",
          "Prescott",
          "Excavator",
          "Steamroller",
          "Piledriver",
          "Bulldozer",
          "Barcelona");

  private OpenBlasKernels() {}

  /** As OpenBLAS itself writes it, or {@code of an unknown core}. */
  static String name() {
    Loader.load(openblas.class);
    Pointer variable = Loader.addressof("gotoblas");
    long taken = variable == null ? 0 : new LongPointer(variable).get();
    return FOR_AVX512.stream()
        .filter(core -> isAt(core, taken))
        .findFirst()
        .or(() -> OTHERS.stream().filter(core -> isAt(core, taken)).findFirst())
        .orElse("of an unknown core");
  }

  private static boolean isAt(String core, long address) {
    Pointer table = Loader.addressof("gotoblas_" + core.toUpperCase(Locale.ROOT));
    return table != null && table.address() == address;
  }

  /** What is wrong with measuring beside these kernels on this processor. */
  static Optional<String> objection() {
    return objection(name(), hasAvx512());
  }

  static Optional<String> objection(String core, boolean avx512) {
    if (!avx512 || FOR_AVX512.contains(core)) {
      return Optional.empty();
    }
    return Optional.of(
        ("OpenBLAS runs its kernels %s on a processor with AVX-512: it may reach half of what it could,"
                + " and every ratio to it is too good. Set OPENBLAS_CORETYPE=SkylakeX (where"
                + " ./sparkformer starts it, which does so by itself: unset PEER_CORETYPE)")
            .formatted(core));
  }

  /** By Linux's word; false elsewhere. */
  static boolean hasAvx512() {
    Path processors = Path.of("/proc/cpuinfo");
    if (!Files.exists(processors)) {
      return false;
    }
    try (var lines = Files.lines(processors)) {
      return lines
          .filter(line -> line.startsWith("flags"))
          .anyMatch(line -> Arrays.asList(line.split("\\s+")).contains("avx512f"));
    } catch (IOException unknown) {
      return false;
    }
  }
}
