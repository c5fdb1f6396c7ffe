package org.sparkformer.opencl.contract;

import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.opencl.DeviceGuise;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.Devices;
import org.sparkformer.opencl.KernelChoice;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.OpenClDevice;
import org.sparkformer.opencl.OpenClOptions;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.ops.Operation;
import org.sparkformer.tensor.reference.JavaBackend;

/**
 * What NVIDIA's GPUs run by other kernels, or by the same in other shapes, than any GPU does; and
 * what Hopper's do. The rest is the same programs, which {@link GpuContractTest} runs.
 */
class NvidiaContractTest {
  private static final OpenClDevice DEVICE = Devices.select(DeviceSelector.AUTO);

  private static Backend java;
  private static OpenClBackend nvidia;
  private static OpenClBackend hopper;

  @BeforeAll
  static void open() {
    java = new JavaBackend();
    nvidia = OpenClBackend.open(DeviceGuise.nvidia(DEVICE), OpenClOptions.defaults());
    hopper = OpenClBackend.open(DeviceGuise.hopper(DEVICE), OpenClOptions.defaults());
  }

  @AfterAll
  static void close() {
    Stream.of(java, nvidia, hopper).forEach(Backend::close);
  }

  static Stream<OperationCase> ofNvidia() {
    DeviceInfo any = DeviceGuise.gpu(DEVICE).info();
    return Cases.all().filter(test -> differs(test, nvidia.device(), any));
  }

  static Stream<OperationCase> ofHopper() {
    return Cases.all().filter(test -> differs(test, hopper.device(), nvidia.device()));
  }

  private static boolean differs(OperationCase test, DeviceInfo device, DeviceInfo other) {
    try (Workspace workspace = new Workspace(java)) {
      Operation operation = test.factory().apply(workspace);
      return !KernelChoice.of(operation, device).equals(KernelChoice.of(operation, other));
    }
  }

  @ParameterizedTest
  @MethodSource("ofNvidia")
  void theKernelsForNvidiaAgreeWithTheJavaDefinition(OperationCase test) {
    Agreement.check(test, nvidia, nvidia::run);
  }

  static Stream<OperationCase> dropping() {
    return LayerNormCases.dropping();
  }

  @ParameterizedTest
  @MethodSource("dropping")
  void layerNormsWithDropoutGiveTheBitsOfDropoutAndLayerNorm(OperationCase test) {
    LayerNormCases.checkBitsOfTwo(test, nvidia);
  }

  @ParameterizedTest
  @MethodSource("ofHopper")
  void theKernelsForHopperAgreeWithTheJavaDefinition(OperationCase test) {
    Agreement.check(test, hopper, hopper::run);
  }
}
