package org.sparkformer.spark;

import com.esotericsoftware.kryo.Kryo;
import org.apache.spark.serializer.KryoRegistrator;
import org.sparkformer.spark.dataset.DatasetKryoClasses;

/**
 * Every class that our jobs ship as data between processes. With registration required, one that is
 * missing here fails the job instead of travelling under its full name.
 */
public final class SparkformerKryoRegistrator implements KryoRegistrator {
  @Override
  public void registerClasses(Kryo kryo) {
    kryo.register(byte[][].class);
    DatasetKryoClasses.list().forEach(kryo::register);
  }
}
