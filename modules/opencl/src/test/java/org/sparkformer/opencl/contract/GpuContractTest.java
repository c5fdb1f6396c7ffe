package org.sparkformer.opencl.contract;

import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.opencl.DeviceGuise;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.Devices;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.OpenClOptions;

/** Every operation by the kernels for any GPU, on the device at hand. */
class GpuContractTest {
  private static OpenClBackend backend;

  @BeforeAll
  static void open() {
    backend =
        OpenClBackend.open(
            DeviceGuise.gpu(Devices.select(DeviceSelector.AUTO)), OpenClOptions.defaults());
  }

  @AfterAll
  static void close() {
    backend.close();
  }

  static Stream<OperationCase> cases() {
    return Cases.all();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theKernelsAgreeWithTheJavaDefinition(OperationCase test) {
    Agreement.check(test, backend, backend::run);
  }

  static Stream<OperationCase> dropping() {
    return LayerNormCases.dropping();
  }

  @ParameterizedTest
  @MethodSource("dropping")
  void layerNormsWithDropoutGiveTheBitsOfDropoutAndLayerNorm(OperationCase test) {
    LayerNormCases.checkBitsOfTwo(test, backend);
  }
}
