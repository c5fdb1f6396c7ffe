package org.sparkformer.opencl.contract;

import java.nio.file.Path;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.opencl.DeviceGuise;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.Devices;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.OpenClDevice;
import org.sparkformer.opencl.OpenClOptions;

/**
 * The kernels for processors as other processors than this one get them: with narrower vectors,
 * many compute units, little local memory.
 */
class OtherProcessorsTest {
  /** Enough for products to be divided among so many that their operands are packed first. */
  private static final int UNITS = 8;

  private static final long LOCAL = 1 << 20;

  /** What some drivers report, and the least that OpenCL allows. */
  private static final long LITTLE_LOCAL = 32 << 10;

  private static OpenClBackend eightLanes;
  private static OpenClBackend fourLanes;
  private static OpenClBackend manyUnits;
  private static OpenClBackend oneUnit;
  private static OpenClBackend littleLocalMemory;

  @BeforeAll
  static void open() {
    OpenClDevice device = Devices.select(new DeviceSelector("cpu"));
    int width = device.info().floatVectorWidth();
    eightLanes = open(DeviceGuise.processor(device, UNITS, 8, LOCAL));
    fourLanes = open(DeviceGuise.processor(device, UNITS, 4, LOCAL));
    manyUnits = open(DeviceGuise.processor(device, UNITS, width, LOCAL));
    oneUnit = open(DeviceGuise.processor(device, 1, width, LOCAL));
    littleLocalMemory = open(DeviceGuise.processor(device, UNITS, width, LITTLE_LOCAL));
  }

  /** With the built-in values: others may have been found for this machine's own width. */
  private static OpenClBackend open(OpenClDevice device) {
    return OpenClBackend.open(device, OpenClOptions.defaults().withTuned(Path.of("none.json")));
  }

  @AfterAll
  static void close() {
    Stream.of(eightLanes, fourLanes, manyUnits, oneUnit, littleLocalMemory)
        .forEach(OpenClBackend::close);
  }

  static Stream<OperationCase> cases() {
    return Stream.of(Cases.ofRowsAndElements(), MatMulCases.some(), AttentionCases.some())
        .flatMap(Function.identity());
  }

  static Stream<OperationCase> dropping() {
    return LayerNormCases.dropping();
  }

  static Stream<OperationCase> packedFirst() {
    return MatMulCases.packedByManyUnits();
  }

  static Stream<OperationCase> deep() {
    return MatMulCases.deep();
  }

  static Stream<OperationCase> divided() {
    return Stream.concat(MatMulCases.some(), AttentionCases.some());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void vectorsOfEightAgreeWithTheJavaDefinition(OperationCase test) {
    agrees(eightLanes, test);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void vectorsOfFourAgreeWithTheJavaDefinition(OperationCase test) {
    agrees(fourLanes, test);
  }

  @ParameterizedTest
  @MethodSource("dropping")
  void layerNormsWithDropoutGiveTheBitsOfDropoutAndLayerNorm(OperationCase test) {
    LayerNormCases.checkBitsOfTwo(test, eightLanes);
    LayerNormCases.checkBitsOfTwo(test, fourLanes);
  }

  @ParameterizedTest
  @MethodSource("packedFirst")
  void operandsThatArePackedFirstAgreeWithTheJavaDefinition(OperationCase test) {
    agrees(manyUnits, test);
  }

  @ParameterizedTest
  @MethodSource("deep")
  void blocksInLittleLocalMemoryAgreeWithTheJavaDefinition(OperationCase test) {
    agrees(littleLocalMemory, test);
  }

  /** Gradients of attention go by whole heads on one unit, and operands are packed otherwise. */
  @ParameterizedTest
  @MethodSource("divided")
  void oneUnitAndManyGiveTheSameBits(OperationCase test) {
    agrees(oneUnit, test);
    Agreement.sameBits(test, manyUnits, oneUnit);
  }

  private static void agrees(OpenClBackend backend, OperationCase test) {
    Agreement.check(test, backend);
  }
}
