package org.sparkformer.spark;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.KryoException;
import com.esotericsoftware.kryo.Registration;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import com.esotericsoftware.kryo.util.DefaultClassResolver;
import com.esotericsoftware.kryo.util.MapReferenceResolver;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.testkit.AllocationLimit;

/** Any bytes are values of classes that our jobs ship, or one of Kryo's exceptions. */
class KryoFuzzTest {
  static Stream<byte[]> values() {
    Object nested = "innermost";
    for (int depth = 0; depth < 50; depth++) {
      nested = new Object[] {nested};
    }
    return Stream.of(
            "α",
            new String[] {"one", null, "two"},
            new long[] {1, -1, Long.MAX_VALUE},
            new byte[][] {{1, 2, 3}, {}, null},
            new Object[] {"x", new long[] {7}, new Object[0]},
            nested)
        .map(KryoFuzzTest::bytes);
  }

  private static byte[] bytes(Object value) {
    Output output = new Output(64, -1);
    kryo().writeClassAndObject(output, value);
    return output.toBytes();
  }

  /**
   * As Spark has it, with what we register and without what Spark does. Spark's own instance takes
   * any memory: of the 242 classes that it knows, arrays other than ours, bit sets and Scala's
   * mutable collections have serializers that take what a length announces, many of them registered
   * after ours. And classes by their names are refused here before they are read: Kryo first takes
   * memory for as many characters as a name announces, which no registrator can change there.
   * {@link KryoRegistrationTest} has Spark's own instance read what our jobs ship, and lengths that
   * lie.
   */
  private static Kryo kryo() {
    Kryo kryo = new Kryo(new NamelessClasses(), new MapReferenceResolver());
    kryo.setRegistrationRequired(true);
    kryo.setReferences(true);
    new SparkformerKryoRegistrator().registerClasses(kryo);
    return kryo;
  }

  private static final class NamelessClasses extends DefaultClassResolver {
    @Override
    protected Registration readName(Input input) {
      throw new KryoException("a class by its name");
    }
  }

  @MethodSource("values")
  @FuzzTest
  void isAValueOrRefused(byte[] bytes) throws Exception {
    AllocationLimit.within(bytes.length, () -> read(bytes));
  }

  // Kryo throws its own exception, and its list's for a reference to what was never read.
  private static Object read(byte[] bytes) {
    try {
      return List.of(String.valueOf(kryo().readClassAndObject(new Input(bytes))).length());
    } catch (KryoException | IndexOutOfBoundsException declared) {
      return List.of();
    }
  }
}
