package org.sparkformer.spark.dataset;

import java.util.List;

/**
 * Classes that the dataset jobs send through Spark's serializer, for its registrator. Slices and
 * results travel as JSON in strings, so few are needed.
 */
public final class DatasetKryoClasses {
  private DatasetKryoClasses() {}

  public static List<Class<?>> list() {
    return List.of(Object[].class, String[].class, long[].class);
  }
}
