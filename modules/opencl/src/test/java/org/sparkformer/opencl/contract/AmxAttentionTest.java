package org.sparkformer.opencl.contract;

import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.opencl.AmxAttention;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.kernels.HostArithmetic;

/**
 * Attention by AMX against its definition, on processors without it: on those that have it the
 * contract suite runs it.
 */
class AmxAttentionTest {

  static Stream<OperationCase> rounding() {
    return HostArithmetic.TILES.isAvailable() ? Stream.empty() : AttentionCases.rounding();
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("rounding")
  void agreesWithTheDefinition(OperationCase test) {
    try (OpenClBackend backend = OpenClBackend.open(DeviceSelector.AUTO)) {
      Agreement.check(test, backend, new AmxAttention(backend)::run);
    }
  }
}
