package org.sparkformer.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.testkit.LoggedProcess;

class OpenBlasKernelsTest {
  @ParameterizedTest
  @ValueSource(strings = {"SkylakeX", "Haswell", "Nehalem"})
  @EnabledIfSystemProperty(named = "os.arch", matches = "amd64")
  void areThoseThatOpenBlasWasToldToTake(String core) throws Exception {
    assumeTrue(!core.equals("SkylakeX") || OpenBlasKernels.hasAvx512(), "no AVX-512 here");
    assertEquals(core, namedIn(core));
  }

  @Test
  void areObjectedToWhereTheProcessorHasMoreThanTheyUse() {
    String objection = OpenBlasKernels.objection("Haswell", true).orElseThrow();
    assertTrue(objection.contains("Haswell") && objection.contains("OPENBLAS_CORETYPE=SkylakeX"));
    assertTrue(OpenBlasKernels.objection("of an unknown core", true).isPresent());
    assertEquals(Optional.empty(), OpenBlasKernels.objection("Cooperlake", true));
    assertEquals(Optional.empty(), OpenBlasKernels.objection("Haswell", false));
  }

  /** What a process says that starts with this core type. */
  private static String namedIn(String core) throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(LoggedProcess.java(List.of(), Named.class, List.of()));
    builder.environment().put("OPENBLAS_CORETYPE", core);
    Process process = builder.redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    return output.strip();
  }

  /** A process of its own, as OpenBLAS takes its kernels once. */
  static final class Named {
    public static void main(String[] arguments) {
      System.out.println(OpenBlasKernels.name());
    }
  }
}
