package org.sparkformer.opencl.contract;

import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.HostAttention;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.kernels.HostArithmetic;

/**
 * Attention by AMX and by vectors against its definition, where the contract suite does not run it:
 * on processors without the former, and on those with it.
 */
class HostAttentionTest {
  private static OpenClBackend backend;

  @BeforeAll
  static void open() {
    backend = OpenClBackend.open(DeviceSelector.AUTO);
  }

  @AfterAll
  static void close() {
    backend.close();
  }

  static Stream<Arguments> others() {
    if (HostArithmetic.TILES.isAvailable()) {
      return AttentionCases.ofFloats().map(test -> arguments("attention", test));
    }
    return Stream.concat(
        AttentionCases.rounding().map(test -> arguments("attention_amx", test)),
        AttentionCases.ofFloats().map(test -> arguments("attention_split", test)));
  }

  @ParameterizedTest
  @MethodSource("others")
  void agreesWithTheDefinition(String file, OperationCase test) {
    Agreement.check(test, backend, new HostAttention(file, backend)::run);
  }
}
