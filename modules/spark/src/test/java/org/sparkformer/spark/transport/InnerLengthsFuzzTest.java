package org.sparkformer.spark.transport;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.apache.spark.network.protocol.Message;
import org.apache.spark.network.protocol.MessageDecoder;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.testkit.AllocationLimit;

/** Of any message that passes, Spark's own decoders allocate no more than there is. */
class InnerLengthsFuzzTest {
  private static final int BODY_AT = 1 + Long.BYTES + Integer.BYTES;
  private static final Method AUTHENTICATION =
      decoder("crypto.AuthMessage", "decodeMessage", ByteBuffer.class);
  private static final Method SASL = decoder("sasl.SaslMessage", "decode", ByteBuf.class);

  static Stream<byte[]> messages() {
    List<byte[]> framed = new ArrayList<>();
    for (byte with : new byte[] {0, 1, 0x3F}) {
      for (Message.Type type : Message.Type.values()) {
        framed.add(SparkFrames.filled(type, with));
      }
      SparkFrames.authentications(with).forEach(body -> framed.add(SparkFrames.request(body)));
    }
    return framed.stream().map(each -> Arrays.copyOfRange(each, Long.BYTES, each.length));
  }

  @MethodSource("messages")
  @FuzzTest
  void whatPassesCostsWhatItHolds(byte[] message) throws Exception {
    if (message.length == 0 || !InnerLengths.areTrue(Unpooled.wrappedBuffer(message))) {
      return;
    }
    requireLittle(
        message,
        () -> {
          MessageDecoder.INSTANCE.decode(null, Unpooled.wrappedBuffer(message), new ArrayList<>());
          return null;
        });
    if (message.length > BODY_AT) {
      ByteBuf body = Unpooled.wrappedBuffer(message, BODY_AT, message.length - BODY_AT);
      if (message[0] == Message.Type.RpcRequest.id()) {
        requireLittle(message, () -> SASL.invoke(null, body.duplicate()));
      }
      if (message[0] != Message.Type.OneWayMessage.id()
          && message[0] != Message.Type.RpcFailure.id()) {
        requireLittle(message, () -> AUTHENTICATION.invoke(null, body.nioBuffer()));
      }
    }
  }

  private static void requireLittle(byte[] message, Callable<?> decoder) throws Exception {
    try {
      AllocationLimit.within(message.length, decoder);
    } catch (IndexOutOfBoundsException | IllegalArgumentException refused) {
      // Spark hangs up on such a message, as it should.
    } catch (InvocationTargetException refused) {
      if (refused.getCause() instanceof Error broken) {
        throw broken;
      }
    }
  }

  /** Spark has these classes for itself. */
  private static Method decoder(String type, String name, Class<?> input) {
    try {
      Method decoder =
          Class.forName("org.apache.spark.network." + type).getDeclaredMethod(name, input);
      decoder.setAccessible(true);
      return decoder;
    } catch (ReflectiveOperationException missing) {
      throw new AssertionError("another Spark", missing);
    }
  }
}
