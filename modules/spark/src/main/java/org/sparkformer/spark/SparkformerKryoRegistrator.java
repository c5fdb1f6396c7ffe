package org.sparkformer.spark;

import com.esotericsoftware.kryo.Kryo;
import org.apache.spark.serializer.KryoRegistrator;
import org.sparkformer.spark.dataset.DatasetKryoClasses;

/**
 * Every class that our jobs ship as data between processes. With registration required, one that is
 * missing here fails the job instead of travelling under its full name. What is read takes no more
 * memory than there are bytes for, and nests no deeper than a stack allows.
 */
public final class SparkformerKryoRegistrator implements KryoRegistrator {
  private static final int MOST_NESTED = 200;

  @Override
  public void registerClasses(Kryo kryo) {
    kryo.setMaxDepth(MOST_NESTED);
    kryo.register(String.class, new GrowingSerializers.OfString());
    kryo.register(byte[].class, new GrowingSerializers.OfBytes());
    register(kryo, byte[][].class);
    DatasetKryoClasses.list().forEach(type -> register(kryo, type));
  }

  private static void register(Kryo kryo, Class<?> array) {
    kryo.register(
        array,
        array == long[].class
            ? new GrowingSerializers.OfLongs()
            : new GrowingSerializers.OfObjects());
  }
}
