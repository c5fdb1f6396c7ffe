package org.sparkformer.opencl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Fill;

class ProgramCacheTest {
  private static final byte[] BINARY = {1, 2, 3, 4, 5};

  @TempDir Path folder;

  private static ProgramCache.Key key(String source, String options) {
    return ProgramCache.Key.of(
        new KernelSource("test", source), options, Devices.list().get(0).info());
  }

  @Test
  void whatWasStoredIsFound() {
    ProgramCache.in(folder).store(key("a", ""), () -> BINARY);
    assertArrayEquals(BINARY, ProgramCache.in(folder).find(key("a", "")).orElseThrow());
  }

  @Test
  void anotherSourceOrOptionIsAnotherProgram() {
    assertNotEquals(key("a", "b"), key("b", "b"));
    assertNotEquals(key("a", "b"), key("a", ""));
    assertNotEquals(key("ab", "c"), key("a", "bc"));
  }

  @Test
  void anotherDeviceDriverOrPlatformIsAnotherProgram() {
    DeviceInfo device = Devices.list().get(0).info();
    DeviceInfo.Identity is = device.identity();
    KernelSource source = new KernelSource("test", "a");
    ProgramCache.Key key = ProgramCache.Key.of(source, "", device);
    for (DeviceInfo.Identity other :
        List.of(
            new DeviceInfo.Identity("other", is.vendor(), is.platform(), is.driver(), ""),
            new DeviceInfo.Identity(is.name(), is.vendor(), "other", is.driver(), ""),
            new DeviceInfo.Identity(is.name(), is.vendor(), is.platform(), "other", ""))) {
      assertNotEquals(key, ProgramCache.Key.of(source, "", of(device, other)));
    }
    assertEquals(key, ProgramCache.Key.of(source, "", of(device, is)));
  }

  /** So that a program which was made by other rules is not taken for the one that is wanted. */
  @Test
  void whatIsMadeOfAProgramsPtxIsPartOfItsKey() {
    DeviceInfo device = Devices.list().get(0).info();
    DeviceInfo other = onPlatform(device, "Portable Computing Language");
    DeviceInfo nvidia = onPlatform(device, "NVIDIA CUDA");
    KernelSource plain = new KernelSource("test", "a");
    KernelSource marked = new KernelSource("test", "a " + HopperPtx.MARK);
    assertFalse(HopperPtx.isNeeded(marked, other));
    assertFalse(HopperPtx.isNeeded(plain, nvidia));
    assertTrue(HopperPtx.isNeeded(marked, nvidia));
    assertNotEquals(
        ProgramCache.Key.of(marked, "", nvidia, ""),
        ProgramCache.Key.of(marked, "", nvidia, HopperPtx.RULES));
    assertEquals(
        ProgramCache.Key.of(marked, "", nvidia, HopperPtx.RULES),
        ProgramCache.Key.of(marked, "", nvidia));
  }

  @Test
  void aDamagedOrCutFileCountsAsAbsent() throws IOException {
    ProgramCache cache = ProgramCache.in(folder);
    cache.store(key("a", ""), () -> BINARY);
    Path file = files().get(0);
    byte[] content = Files.readAllBytes(file);
    for (int i = 0; i < content.length; i++) {
      byte[] damaged = content.clone();
      damaged[i] ^= 0x10;
      Files.write(file, damaged);
      assertEquals(Optional.empty(), cache.find(key("a", "")));
      Files.write(file, Arrays.copyOf(content, i));
      assertEquals(Optional.empty(), cache.find(key("a", "")));
    }
  }

  @Test
  void manyMayStoreTheSameProgramAtOnce() throws IOException {
    IntStream.range(0, 64)
        .parallel()
        .forEach(i -> ProgramCache.in(folder).store(key("a", ""), () -> BINARY));
    assertEquals(1, files().size());
    assertArrayEquals(BINARY, ProgramCache.in(folder).find(key("a", "")).orElseThrow());
  }

  @Test
  void aFolderThatCannotBeWrittenOnlyCostsTheCache() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "in the way");
    ProgramCache cache = ProgramCache.in(file.resolve("cache"));
    cache.store(key("a", ""), () -> BINARY);
    assertEquals(Optional.empty(), cache.find(key("a", "")));
  }

  @Test
  void aBackendReadsItsProgramsBackAndRebuildsDamagedOnes() throws IOException {
    assertEquals(3f, fillThreeElements());
    Path file = files().get(0);
    byte[] stored = Files.readAllBytes(file);
    assertEquals(3f, fillThreeElements());
    stored[stored.length / 2] ^= 1;
    Files.write(file, stored);
    assertEquals(3f, fillThreeElements());
    assertTrue(Files.mismatch(file, Files.write(folder.resolve("copy"), stored)) >= 0);
  }

  /** On a platform that keeps no cache of its own. */
  private float fillThreeElements() {
    OpenClDevice device = Devices.select(DeviceSelector.AUTO);
    DeviceInfo other = onPlatform(device.info(), "without a cache");
    try (OpenClBackend backend =
            OpenClBackend.open(
                new OpenClDevice(device.platform(), device.id(), other),
                OpenClOptions.defaults().withCache(folder));
        Tensor x = backend.floats(3)) {
      backend.run(new Fill(x, 3));
      return backend.readFloats(x)[2];
    }
  }

  private static DeviceInfo onPlatform(DeviceInfo info, String platform) {
    DeviceInfo.Identity is = info.identity();
    return of(info, new DeviceInfo.Identity(is.name(), is.vendor(), platform, is.driver(), ""));
  }

  private static DeviceInfo of(DeviceInfo info, DeviceInfo.Identity identity) {
    return new DeviceInfo(
        0, info.kind(), identity, info.computeUnits(), info.floatVectorWidth(), info.memory(), 0);
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }
}
