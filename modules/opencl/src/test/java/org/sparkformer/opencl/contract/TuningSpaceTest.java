package org.sparkformer.opencl.contract;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.opencl.DeviceGuise;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.Devices;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.OpenClDevice;
import org.sparkformer.opencl.OpenClOptions;
import org.sparkformer.opencl.TracedCommand;
import org.sparkformer.opencl.TuningSpace;
import org.sparkformer.opencl.kernels.HostArithmetic;
import org.sparkformer.tensor.ops.Operation;

/**
 * Every value that a tuner may try builds, agrees with the definitions at odd sizes and keeps the
 * bits that it promises to keep, on each kind of device.
 */
class TuningSpaceTest {
  private static final int CASES_OF_AN_OPERATION = 2;

  /** Those that this machine runs in no other test, and that take seconds each to build. */
  private static final Set<String> OF_GPUS =
      Set.of("attention_gpu.cl", "attention_tensor.cl", "matmul_gpu.cl");

  /** Those whose values to try are for processors with AMX. */
  private static final Set<String> OF_AMX =
      Set.of("attention_amx.cl", "attention_split.cl", "matmul_split.cl", "matmul_tiles.cl");

  private static final String AMX = "processor with AMX";

  private static final Map<String, OpenClBackend> BACKENDS = new LinkedHashMap<>();

  private record Setting(String device, String file, TuningSpace.Tunable tunable, int value) {
    @Override
    public String toString() {
      return "%s, %s: %s=%d".formatted(device, file, tunable.macro(), value);
    }

    private boolean isBuiltIn() {
      return Integer.valueOf(value)
          .equals(BACKENDS.get(device).builtInTunables(file).get(tunable.macro()));
    }
  }

  @BeforeAll
  static void open() {
    OpenClDevice device = Devices.select(new DeviceSelector("cpu"));
    long local = device.info().memory().local();
    for (int width : new int[] {4, 8, 16}) {
      open("processor of width " + width, DeviceGuise.processor(device, 2, width, local));
    }
    // On more units a product of a test's size takes the smallest tile, which no tuner changes.
    open("GPU", DeviceGuise.ofOneUnit(DeviceGuise.gpu(device)));
    open("tensor cores", DeviceGuise.ofOneUnit(DeviceGuise.nvidia(device)));
    open("warp groups", DeviceGuise.ofOneUnit(DeviceGuise.hopper(device)));
    if (HostArithmetic.TILES.isAvailable()) {
      open(AMX, DeviceGuise.processor(device, 2, 16, local), Set.of());
    }
  }

  /** Without files that take operations from those whose values are tried. */
  private static void open(String name, OpenClDevice device) {
    open(name, device, Set.of("matmul_split", "matmul_tiles", "attention_split"));
  }

  private static void open(String name, OpenClDevice device, Set<String> without) {
    OpenClOptions options =
        OpenClOptions.defaults().withTuned(Path.of("none.json")).without(without);
    BACKENDS.put(name, OpenClBackend.open(device, options));
  }

  @AfterAll
  static void close() {
    BACKENDS.values().forEach(OpenClBackend::close);
    BACKENDS.clear();
  }

  /** Each file where its kernels are first used, as one for tensor cores is not on plain GPUs. */
  static Stream<Setting> settingsOfGpus() {
    Set<String> seen = new HashSet<>();
    return Stream.of("GPU", "tensor cores")
        .flatMap(TuningSpaceTest::settings)
        .filter(setting -> OF_GPUS.contains(setting.file()) && !setting.isBuiltIn())
        .filter(setting -> seen.add(setting.toString().split(", ", 2)[1]));
  }

  /** One of each file of products by AMX, where there is that; attention takes long to build. */
  static Stream<Setting> someSettings() {
    Set<String> seen = new HashSet<>();
    Stream<Setting> ofAmx =
        allSettings()
            .filter(setting -> setting.device().equals(AMX) && !setting.isBuiltIn())
            .filter(setting -> setting.file().startsWith("matmul") && seen.add(setting.file()));
    return Stream.concat(settingsOfGpus(), ofAmx);
  }

  /** Of warp groups those of the files that tensor cores have not. */
  static Stream<Setting> allSettings() {
    return BACKENDS.keySet().stream()
        .flatMap(TuningSpaceTest::settings)
        .filter(
            setting ->
                !setting.device().equals("warp groups") || setting.file().endsWith("_wgmma.cl"));
  }

  private static Stream<Setting> settings(String device) {
    List<Setting> settings = new ArrayList<>();
    TuningSpace.of(BACKENDS.get(device).device())
        .files()
        .forEach(
            (file, tunables) ->
                tunables.forEach(
                    tunable ->
                        tunable
                            .values()
                            .forEach(
                                value -> settings.add(new Setting(device, file, tunable, value)))));
    return settings.stream()
        .filter(setting -> OF_AMX.contains(setting.file()) == device.equals(AMX));
  }

  @ParameterizedTest
  @MethodSource("someSettings")
  void someOfWhatATunerMayTryAgreesWithTheDefinitions(Setting setting) {
    holds(setting);
  }

  @Tag("soak")
  @ParameterizedTest
  @MethodSource("allSettings")
  void whatATunerMayTryAgreesWithTheDefinitions(Setting setting) {
    holds(setting);
  }

  private static void holds(Setting setting) {
    OpenClBackend backend = BACKENDS.get(setting.device());
    Map<String, Integer> macros = Map.of(setting.tunable().macro(), setting.value());
    Consumer<Operation> tuned = backend.withTunables(Map.of(setting.file(), macros));
    backend.startTrace();
    for (OperationCase test : lastOfEachOperation(cases(setting.file()))) {
      if (setting.file().equals("matmul_split.cl")) {
        Agreement.checkSums(test, backend, tuned);
      } else {
        Agreement.check(test, backend, tuned);
      }
      if (setting.tunable().sameBits()) {
        Agreement.sameBits(test, backend, backend::run, tuned);
      }
    }
    assertTrue(
        backend.endTrace().stream()
            .map(TracedCommand::name)
            .anyMatch(name -> name.startsWith(setting.file() + ":")),
        "nothing ran by the file");
  }

  private static List<OperationCase> lastOfEachOperation(Stream<OperationCase> cases) {
    Map<String, List<OperationCase>> byOperation =
        cases.collect(Collectors.groupingBy(test -> test.name().split(" ", 2)[0]));
    return byOperation.values().stream()
        .flatMap(all -> all.stream().skip(Math.max(0, all.size() - CASES_OF_AN_OPERATION)))
        .toList();
  }

  private static Stream<OperationCase> cases(String file) {
    return switch (file) {
      case "adamw.cl" -> AdamWCases.all();
      case "attention.cl", "attention_gpu.cl" -> AttentionCases.some();
      case "attention_amx.cl", "attention_tensor.cl", "attention_wgmma.cl" ->
          AttentionCases.someRounding();
      case "attention_split.cl" -> AttentionCases.longer();
      case "elementwise.cl" -> ElementwiseCases.all();
      case "embedding.cl" -> EmbeddingCases.all();
      case "layernorm.cl" -> LayerNormCases.all();
      case "matmul.cl", "matmul_gpu.cl" -> MatMulCases.deep();
      case "matmul_split.cl" -> MatMulCases.tall().filter(test -> !test.name().endsWith("bf16"));
      case "matmul_tiles.cl" -> MatMulCases.tall().filter(test -> test.name().endsWith("bf16"));
      case "matmul_tensor.cl", "matmul_wgmma.cl" ->
          MatMulCases.deep().filter(test -> test.name().endsWith("bf16"));
      case "reduce.cl" -> ReductionCases.all();
      case "softmax_cross_entropy.cl" -> SoftmaxCrossEntropyCases.all();
      default -> throw new IllegalArgumentException("name the cases of " + file + " here");
    };
  }
}
