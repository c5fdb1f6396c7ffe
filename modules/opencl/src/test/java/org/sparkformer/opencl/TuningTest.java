package org.sparkformer.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TuningTest {
  private static final String FILE = "matmul.cl";

  private final OpenClDevice device = Devices.select(new DeviceSelector("cpu"));
  private final DeviceInfo info = device.info();

  @TempDir private Path folder;

  private Path written(DeviceInfo of, String source, Map<String, Integer> macros, boolean same)
      throws IOException {
    Path file = folder.resolve("tuned.json");
    new TunedValues(List.of())
        .with(of, FILE, new TunedValues.Kernel(source, macros, same, 1.25))
        .write(file);
    return file;
  }

  private Path written(DeviceInfo of, String kernelFile, Map<String, Integer> macros)
      throws IOException {
    Path file = folder.resolve("tuned.json");
    new TunedValues(List.of())
        .with(
            of,
            kernelFile,
            new TunedValues.Kernel(TunedValues.digest(kernelFile), macros, true, 1.25))
        .write(file);
    return file;
  }

  private OpenClBackend open(Path tuned) {
    return OpenClBackend.open(device, OpenClOptions.defaults().withTuned(tuned));
  }

  private static DeviceInfo withDriver(DeviceInfo info, String driver) {
    DeviceInfo.Identity is = info.identity();
    return new DeviceInfo(
        info.index(),
        info.kind(),
        new DeviceInfo.Identity(is.name(), is.vendor(), is.platform(), driver, is.pciBusId()),
        info.computeUnits(),
        info.floatVectorWidth(),
        info.memory(),
        info.computeCapability());
  }

  @Test
  void tunedValuesLieOverTheBuiltInOnes() throws IOException {
    String digest = TunedValues.digest(FILE);
    try (OpenClBackend backend = open(written(info, digest, Map.of("KC", 128), true));
        OpenClBackend builtIn = open(folder.resolve("none.json"))) {
      assertEquals(128, backend.launches().tunables(FILE).get("KC"));
      assertEquals(backend.builtInTunables("adamw.cl"), backend.launches().tunables("adamw.cl"));
      assertTrue(backend.description().contains("tuned by " + folder), backend.description());
      assertEquals(builtIn.rounding(), backend.rounding());
    }
  }

  @Test
  void valuesThatRoundOtherwiseShowInTheNameThatRanksCompare() throws IOException {
    String digest = TunedValues.digest(FILE);
    try (OpenClBackend backend = open(written(info, digest, Map.of("KC", 128), false))) {
      assertTrue(backend.rounding().contains("matmul.cl {KC=128}"), backend.rounding());
    }
  }

  @Test
  void withoutAFileNothingIsTuned() {
    try (OpenClBackend backend = open(folder.resolve("none.json"))) {
      assertEquals(backend.builtInTunables(FILE), backend.launches().tunables(FILE));
      assertEquals("OpenCL device " + info, backend.description());
    }
  }

  @Test
  void valuesOfAnotherDriverOrAnotherStateOfTheKernelAreLeftAside() throws IOException {
    Map<String, Integer> macros = Map.of("KC", 128);
    String digest = TunedValues.digest(FILE);
    Path older = written(withDriver(info, "older"), digest, macros, true);
    assertEquals(Map.of(), Tuning.read(older, info).kernels());
    assertEquals(1, Tuning.read(older, withDriver(info, "older")).kernels().size());
    Path changed = written(info, "00000000", macros, true);
    assertEquals(Map.of(), Tuning.read(changed, info).kernels());
  }

  @Test
  void eachDriverOfADeviceHasItsOwnValues() {
    TunedValues.Kernel kernel = new TunedValues.Kernel("1", Map.of("KC", 128), true, 1);
    DeviceInfo older = withDriver(info, "older");
    TunedValues both =
        new TunedValues(List.of()).with(older, FILE, kernel).with(info, "adamw.cl", kernel);
    assertEquals(Map.of(FILE, kernel), both.of(older));
    assertEquals(Map.of("adamw.cl", kernel), both.of(info));
    assertEquals(
        List.of(older.identity().driver()), both.with(info, "adamw.cl", null).otherDrivers(info));
  }

  @Test
  void anUnknownMacroIsRefusedBesideTheKnownOnes() throws IOException {
    Path file = written(info, TunedValues.digest(FILE), Map.of("MX", 12), true);
    String message = assertThrows(OpenClException.class, () -> open(file)).getMessage();
    assertTrue(
        message.contains("tuned.json") && message.contains("MX") && message.contains("MR, NV, KC"),
        message);
  }

  static Set<String> files() {
    OpenClDevice device = Devices.select(new DeviceSelector("cpu"));
    return TuningSpace.of(device.info()).files().keySet();
  }

  @ParameterizedTest
  @MethodSource("files")
  void aValueThatIsNotSearchedIsRefused(String kernelFile) throws IOException {
    String macro = TuningSpace.of(info).of(kernelFile).get(0).macro();
    Path file = written(info, kernelFile, Map.of(macro, -32));
    String message = assertThrows(OpenClException.class, () -> open(file)).getMessage();
    assertTrue(
        message.contains(
            "tuned.json: %s of %s is -32, which is none of [".formatted(macro, kernelFile)),
        message);
  }

  @Test
  void aDamagedFileIsRefused() throws IOException {
    Path file = written(info, TunedValues.digest(FILE), Map.of("KC", 128), true);
    String json = Files.readString(file);
    for (String damaged :
        List.of(json.substring(0, json.length() / 2), json.replace("macros", "makros"))) {
      Files.writeString(file, damaged);
      String message = assertThrows(OpenClException.class, () -> open(file)).getMessage();
      assertTrue(message.contains("tuned.json") && message.contains("delete it"), message);
    }
  }

  static Stream<DeviceInfo> devices() {
    OpenClDevice device = Devices.select(new DeviceSelector("cpu"));
    return Stream.of(
            device, DeviceGuise.gpu(device), DeviceGuise.nvidia(device), DeviceGuise.hopper(device))
        .map(OpenClDevice::info);
  }

  @ParameterizedTest
  @MethodSource("devices")
  void everyTunableIsAMacroThatItsFileDocuments(DeviceInfo of) {
    TuningSpace space = TuningSpace.of(of);
    assertNotEquals(Map.of(), space.files());
    space
        .files()
        .forEach(
            (file, tunables) ->
                tunables.forEach(
                    tunable ->
                        assertTrue(
                            documents(KernelSource.resource(file).text(), tunable.macro()),
                            () -> file + " has no macro " + tunable.macro())));
  }

  /** As a macro of its own, or as one of those of which the host makes others. */
  private static boolean documents(String source, String macro) {
    return source.contains("\n#ifndef " + macro + "\n") || source.contains("\n// " + macro + ": ");
  }

  @Test
  void aDeviceIsSearchedForTheKernelsThatItHas() {
    List<Set<String>> files =
        devices().map(of -> TuningSpace.of(of).files().keySet()).map(Set::copyOf).toList();
    assertTrue(files.get(0).contains("attention.cl"));
    assertTrue(files.get(0).stream().noneMatch(TuningTest::isOfGpus), files.get(0)::toString);
    assertTrue(files.get(1).containsAll(Set.of("attention_gpu.cl", "matmul_gpu.cl")));
    assertFalse(files.get(1).contains("attention_tensor.cl"));
    assertTrue(files.get(2).containsAll(Set.of("attention_tensor.cl", "matmul_tensor.cl")));
    assertFalse(files.get(2).contains("matmul_wgmma.cl"));
    assertTrue(files.get(3).containsAll(Set.of("attention_wgmma.cl", "matmul_wgmma.cl")));
  }

  private static boolean isOfGpus(String file) {
    return file.matches(".*_(gpu|tensor|wgmma)\\.cl");
  }
}
