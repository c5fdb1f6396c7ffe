package org.sparkformer.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.APIUtil;
import org.lwjgl.system.JNI;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;
import org.lwjgl.system.SharedLibrary;

/** Needs Linux, and a driver whose compiler has signal handlers of its own, such as PoCL. */
class SignalHandlersTest {
  private static final int SEGMENTATION_FAULT = 11;
  private static final int ACTION_BYTES = 256;

  @Test
  void theJvmHandlesItsSignalsAfterADriverHasCompiled() throws IOException {
    try (DeviceQueue queue = DeviceQueue.open(Devices.select(DeviceSelector.AUTO), 0, 1)) {
      Compiler compiler = new Compiler(queue, ProgramCache.none());
      // A number that no cache knows.
      String text =
          "__kernel void f(__global long *x) { x[0] = %dL; }".formatted(System.nanoTime());
      CL10.clReleaseProgram(compiler.build(new KernelSource("new.cl", text), ""));
    }
    long handler = handler();
    String owner = owner(handler);
    assertTrue(owner.endsWith("/libjvm.so"), () -> "%x of %s".formatted(handler, owner));
  }

  /** The first field of what sigaction tells. */
  private static long handler() {
    try (SharedLibrary c = APIUtil.apiCreateLibrary("libc.so.6");
        MemoryStack stack = MemoryStack.stackPush()) {
      long action = stack.ncalloc(Long.BYTES, ACTION_BYTES, 1);
      long sigaction = c.getFunctionAddress("sigaction");
      assertEquals(0, JNI.callPPI(SEGMENTATION_FAULT, MemoryUtil.NULL, action, sigaction));
      return MemoryUtil.memGetAddress(action);
    }
  }

  /** The file that is mapped where an address lies. */
  private static String owner(long address) throws IOException {
    for (String mapping : Files.readAllLines(Path.of("/proc/self/maps"))) {
      String[] fields = mapping.split("\\s+", 6);
      String[] range = fields[0].split("-");
      if (Long.compareUnsigned(Long.parseUnsignedLong(range[0], 16), address) <= 0
          && Long.compareUnsigned(address, Long.parseUnsignedLong(range[1], 16)) < 0) {
        return fields[5];
      }
    }
    return "nothing";
  }
}
