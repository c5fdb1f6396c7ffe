package org.sparkformer.spark.transport;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.ByteBuffer;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.testkit.AllocationLimit;

/** Any first message is a greeting or refused, and a greeting reads as it was written. */
class HelloFuzzTest {
  static Stream<byte[]> greetings() {
    return Stream.of(
        new Hello("run", 1, 2, 3).encode().array(),
        new Hello("a name that is longer, with an é", 0, 0, Integer.MAX_VALUE).encode().array(),
        new byte[0]);
  }

  @MethodSource("greetings")
  @FuzzTest
  void isAGreetingOrRefused(byte[] message) throws Exception {
    Hello hello;
    try {
      hello = AllocationLimit.within(message.length, () -> Hello.decode(ByteBuffer.wrap(message)));
    } catch (IllegalArgumentException declared) {
      return;
    }
    if (!Hello.decode(hello.encode()).equals(hello)) {
      throw new AssertionError("does not read as it was written: " + hello);
    }
  }
}
