package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.sparkformer.spark.RankDevice.Neighbours;

class RankDeviceTest {
  @Test
  void ranksOfOneHostShareIt() {
    List<String> hosts = List.of("a", "b", "a", "a");
    assertEquals(new Neighbours(0, 3), Neighbours.of(0, hosts));
    assertEquals(new Neighbours(0, 1), Neighbours.of(1, hosts));
    assertEquals(new Neighbours(2, 3), Neighbours.of(3, hosts));
  }

  @Test
  void javaIsOnlyTakenWhenAskedFor() throws Exception {
    try (RankDevice device = RankDevice.open("java", List.of(), new Neighbours(0, 1))) {
      assertTrue(device.backend().description().startsWith("Java (no OpenCL)"));
    }
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> RankDevice.open("no such device", List.of(), new Neighbours(0, 1)))
            .getMessage();
    assertTrue(message.contains("no OpenCL device"), message);
    assertTrue(message.endsWith("with --device java"), message);
  }

  @Test
  void busAddressesOfNvidiaSmiAreWrittenAsOpenClDoes() {
    assertEquals("0000:3b:00.0", GpuAddress.normalize("00000000:3B:00.0\n"));
    assertEquals("0000:3b:00.0", GpuAddress.normalize("0000:3b:00.0"));
  }
}
