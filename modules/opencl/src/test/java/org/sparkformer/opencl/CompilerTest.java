package org.sparkformer.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;

class CompilerTest {

  @Test
  void aFailedBuildSaysTheCompilersErrorInOneLineAndCarriesTheWholeLog() {
    KernelSource broken = new KernelSource("broken.cl", "__kernel void f() { undeclared = 1; }");
    try (DeviceQueue queue = DeviceQueue.open(Devices.select(DeviceSelector.AUTO), 0, 1)) {
      ProgramBuildException refused =
          assertThrows(
              ProgramBuildException.class,
              () -> new Compiler(queue, ProgramCache.none()).build(broken, "-D WIDTH=4"));
      String message = refused.getMessage();
      assertEquals(1, message.lines().count(), message);
      assertTrue(refused.getCause().getMessage().contains("undeclared"), refused.toString());
      assertTrue(
          message.contains("broken.cl")
              && message.contains("undeclared")
              && message.contains("CL_BUILD_PROGRAM_FAILURE")
              && message.contains("WIDTH=4"),
          message);
    }
  }

  @Test
  void aMissingKernelIsNamed() {
    try (DeviceQueue queue = DeviceQueue.open(Devices.select(DeviceSelector.AUTO), 0, 1);
        Programs programs = new Programs(new Compiler(queue, ProgramCache.none()))) {
      String message =
          assertThrows(
                  OpenClException.class,
                  () -> programs.kernel("reduce.cl", "noSuchKernel", Map.of()))
              .getMessage();
      assertTrue(message.contains("noSuchKernel") && message.contains("reduce.cl"), message);
    }
  }
}
