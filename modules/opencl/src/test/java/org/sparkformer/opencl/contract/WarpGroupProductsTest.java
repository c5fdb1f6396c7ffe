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

/** Products by Hopper's warp groups against their definition, on any device. */
class WarpGroupProductsTest {
  private static OpenClBackend backend;

  @BeforeAll
  static void open() {
    backend =
        OpenClBackend.open(
            DeviceGuise.hopper(Devices.select(DeviceSelector.AUTO)), OpenClOptions.defaults());
  }

  @AfterAll
  static void close() {
    backend.close();
  }

  static Stream<OperationCase> products() {
    return MatMulCases.all().filter(test -> test.name().endsWith("bf16"));
  }

  @ParameterizedTest
  @MethodSource("products")
  void agreeWithTheDefinition(OperationCase test) {
    Agreement.check(test, backend, backend::run);
  }
}
