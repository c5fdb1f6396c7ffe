package org.sparkformer.opencl.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.Devices;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.OpenClDevice;
import org.sparkformer.opencl.OpenClOptions;
import org.sparkformer.opencl.kernels.NvidiaDevice;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.ops.MatMul;
import org.sparkformer.tensor.reference.JavaBackend;

/**
 * Every operation by its definition and by the kernels for the device at hand; needs an OpenCL
 * device and fails without one.
 */
class OperationContractTest {
  private static Backend java;
  private static Backend definitions;
  private static Backend definitionsOnePart;
  private static OpenClBackend specialised;
  private static Backend specialisedOnePart;

  @BeforeAll
  static void open() {
    OpenClDevice device = Devices.select(DeviceSelector.AUTO);
    OpenClOptions options = OpenClOptions.defaults();
    int parts = device.info().computeUnits();
    java = new JavaBackend();
    definitions = OpenClBackend.open(device, options.withSpecialised(false));
    specialised = OpenClBackend.open(device, options);
    definitionsOnePart =
        OpenClBackend.open(device, options.withSpecialised(false).withPart(parts - 1, parts));
    specialisedOnePart = OpenClBackend.open(device, options.withPart(parts - 1, parts));
  }

  @AfterAll
  static void close() {
    Stream.of(java, definitions, definitionsOnePart, specialised, specialisedOnePart)
        .forEach(Backend::close);
  }

  static Stream<OperationCase> cases() {
    return Stream.concat(Cases.all(), AttentionCases.longer());
  }

  static Stream<OperationCase> dropping() {
    return LayerNormCases.dropping();
  }

  static Stream<OperationCase> gradients() {
    return cases().filter(test -> test.gradient() != null);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theJavaDefinitionWritesAllOfItsOutputsAndNothingElse(OperationCase test) {
    try (Workspace workspace = new Workspace(java)) {
      java.run(test.factory().apply(workspace));
      workspace
          .read()
          .forEach(
              (name, values) -> {
                if (workspace.isOutput(name) && !workspace.isPartial(name)) {
                  Comparison.finite(name, values);
                }
              });
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theTranslatedDefinitionAgreesWithTheJavaDefinition(OperationCase test) {
    Agreement.check(test, definitions, definitions::run);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theChosenKernelAgreesWithTheJavaDefinition(OperationCase test) {
    Agreement.check(asTheDeviceMultiplies(test), specialised);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aPartOfTheDeviceGivesTheSameBitsAsTheWhole(OperationCase test) {
    Agreement.sameBits(test, definitions, definitionsOnePart);
    Agreement.sameBits(test, specialised, specialisedOnePart);
  }

  @ParameterizedTest
  @MethodSource("gradients")
  void gradientsAgreeWithFiniteDifferences(OperationCase test) {
    FiniteDifferences.check(test);
  }

  @ParameterizedTest
  @MethodSource("dropping")
  void layerNormsWithDropoutGiveTheBitsOfDropoutAndLayerNorm(OperationCase test) {
    for (Backend backend : List.of(java, definitions, specialised)) {
      LayerNormCases.checkBitsOfTwo(test, backend);
    }
  }

  @Test
  void everyOperationHasACase() {
    Set<String> covered =
        cases()
            .map(
                test -> {
                  try (Workspace workspace = new Workspace(java)) {
                    return test.factory().apply(workspace).getClass().getSimpleName();
                  }
                })
            .collect(Collectors.toSet());
    assertEquals(OperationClasses.names(), covered);
  }

  /** A product's with the tolerance of tensor cores, where the device has them. */
  private static OperationCase asTheDeviceMultiplies(OperationCase test) {
    if (!NvidiaDevice.multipliesBfloat16(specialised.device())) {
      return test;
    }
    try (Workspace workspace = new Workspace(java)) {
      return test.factory().apply(workspace) instanceof MatMul product && product.rounds()
          ? test.within(Tolerance.truncatedSum(product.k()))
          : test;
    }
  }
}
