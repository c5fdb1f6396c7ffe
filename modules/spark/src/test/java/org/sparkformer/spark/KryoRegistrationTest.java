package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.KryoException;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.serializer.KryoSerializer;
import org.apache.spark.serializer.SerializerInstance;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.testkit.AllocationLimit;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/** The settings of every session ship registered classes only. */
class KryoRegistrationTest {
  /** Of bytes alone, 16 MiB: more than a reader may take for a few of them. */
  private static final int ANNOUNCED = 1 << 24;

  private final SparkConf settings =
      SessionSettings.complete(
          new SparkConf(false).set("spark.kryo.registrationRequired", "false"), "kryo", "local[1]");
  private final SerializerInstance serializer = new KryoSerializer(settings).newInstance();

  /** Serialisable by Java's own means, and of no job of ours. */
  private static final class Stranger implements Serializable {
    private static final long serialVersionUID = 1L;
  }

  @Test
  void registrationIsRequiredWhateverWasGiven() {
    assertEquals("true", settings.get("spark.kryo.registrationRequired"));
    assertEquals("org.apache.spark.serializer.KryoSerializer", settings.get("spark.serializer"));
  }

  @Test
  void whatOurJobsShipIsRegistered() {
    String[] shipped = {"{}", "α"};
    assertArrayEquals(
        shipped,
        serializer.deserialize(
            serializer.serialize(shipped, ClassTag$.MODULE$.apply(String[].class)),
            ClassTag$.MODULE$.apply(String[].class)));
  }

  @Test
  void whatTheyShipComesBackAsItWas() {
    Object[] shipped = {
      "",
      "α\ud83d\ude00\ud800",
      null,
      new String[] {"a", null},
      new long[1000],
      new long[] {-1},
      new Object[0]
    };
    byte[] large = new byte[200_000];
    new Random(1).nextBytes(large);
    assertArrayEquals(shipped, roundTrip(shipped));
    byte[][] bytes = {large, {}, null};
    assertArrayEquals(bytes, roundTrip(bytes));
  }

  private <T> T roundTrip(T value) {
    ClassTag<T> type = ClassTag$.MODULE$.apply(value.getClass());
    return serializer.deserialize(serializer.serialize(value, type), type);
  }

  static Stream<Arguments> empty() {
    return Stream.<Object>of(
            "", new byte[0], new byte[0][], new Object[0], new String[0], new long[0])
        .map(value -> Arguments.of(value));
  }

  /** In Spark's own instance, with all that Spark and Scala register there besides. */
  @ParameterizedTest
  @MethodSource("empty")
  void aLengthWithoutElementsCostsNoMemory(Object empty) {
    Kryo kryo = new KryoSerializer(settings).newKryo();
    Output output = new Output(64, -1);
    kryo.writeClassAndObject(output, empty);
    output.setPosition(output.position() - 1);
    output.writeVarInt(ANNOUNCED, true);
    byte[] bytes = output.toBytes();
    assertThrows(
        KryoException.class,
        () ->
            AllocationLimit.within(bytes.length, () -> kryo.readClassAndObject(new Input(bytes))));
  }

  @Test
  void anUnregisteredClassIsNotWritten() {
    RuntimeException refused =
        assertThrows(
            RuntimeException.class,
            () -> serializer.serialize(new Stranger(), ClassTag$.MODULE$.apply(Stranger.class)));
    assertTrue(causes(refused).contains("Class is not registered"), causes(refused));
  }

  /** Its name in the bytes, as a serializer without registration writes it, makes no object. */
  @Test
  void anUnregisteredClassIsNotReadEither() {
    SparkConf lax =
        settings
            .clone()
            .set("spark.kryo.registrationRequired", "false")
            .remove("spark.kryo.registrator");
    ByteBuffer bytes =
        new KryoSerializer(lax)
            .newInstance()
            .serialize(new Stranger(), ClassTag$.MODULE$.apply(Stranger.class));
    assertThrows(
        RuntimeException.class,
        () -> serializer.deserialize(bytes, ClassTag$.MODULE$.apply(Object.class)));
  }

  private static String causes(Throwable failure) {
    return failure + (failure.getCause() == null ? "" : " / " + causes(failure.getCause()));
  }
}
