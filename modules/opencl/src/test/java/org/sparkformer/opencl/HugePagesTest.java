package org.sparkformer.opencl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.lwjgl.system.MemoryUtil;
import org.sparkformer.tensor.Tensor;

/** Reads of the system where memory lies. */
class HugePagesTest {
  private static final Path SWITCH = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");
  private static final long BYTES = 4 * HugePages.PAGE;

  /** Whether it has such pages at the moment is the system's affair. */
  @Test
  void pagesOfTwoMebibytesAreAskedForWhereMemoryIsTaken() throws IOException {
    assumeTrue(Files.exists(SWITCH), "a system without transparent huge pages");
    try (HugePages memory = HugePages.take(BYTES)) {
      long address = memory.address();
      assertEquals(0, address % HugePages.PAGE);
      MemoryUtil.memSet(address, 1, BYTES);
      assertTrue(isAdvised(address), "not advised at " + Long.toHexString(address));
    }
  }

  @Test
  void aBufferIsMadeOfThemAndHoldsWhatIsWritten() {
    try (OpenClBackend backend = OpenClBackend.open(DeviceSelector.AUTO)) {
      DeviceInfo device = backend.device();
      assumeTrue(device.kind() == DeviceInfo.Kind.CPU, "a device with memory of its own");
      assertTrue(HugePages.suit(device, HugePages.PAGE));
      assertFalse(HugePages.suit(device, HugePages.PAGE - 1));
      int size = (int) (BYTES / Float.BYTES) + 1;
      float[] values = new float[size];
      for (int i = 0; i < size; i++) {
        values[i] = i;
      }
      for (int again = 0; again < 2; again++) {
        try (Tensor tensor = backend.floats(size)) {
          backend.write(tensor, values);
          assertArrayEquals(values, backend.readFloats(tensor));
        }
      }
    }
  }

  /** Whether the mapping at an address has the flag of MADV_HUGEPAGE. */
  private static boolean isAdvised(long address) throws IOException {
    boolean here = false;
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
      if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
        String[] range = line.substring(0, line.indexOf(' ')).split("-");
        here =
            Long.compareUnsigned(Long.parseUnsignedLong(range[0], 16), address) <= 0
                && Long.compareUnsigned(address, Long.parseUnsignedLong(range[1], 16)) < 0;
      } else if (here && line.startsWith("VmFlags:")) {
        return line.contains(" hg");
      }
    }
    return false;
  }
}
