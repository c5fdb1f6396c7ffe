package org.sparkformer.spark.dataset;

import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import scala.Tuple2;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/** Rows that are a partition each, and say on which hosts that is best computed. */
public final class PlacedRows {
  private static final ClassTag<String> TEXT = ClassTag$.MODULE$.apply(String.class);

  private PlacedRows() {}

  /**
   * @param hosts names of hosts in any order; where none of them has room within {@code
   *     spark.locality.wait}, any other will do
   */
  public record Row(String text, List<String> hosts) {
    public Row {
      hosts = List.copyOf(hosts);
    }

    private Tuple2<String, Seq<String>> withHosts() {
      return Tuple2.apply(text, seq(hosts));
    }
  }

  public static JavaRDD<String> of(JavaSparkContext spark, List<Row> rows) {
    Seq<Tuple2<String, Seq<String>>> placed = seq(rows.stream().map(Row::withHosts).toList());
    return JavaRDD.fromRDD(spark.sc().makeRDD(placed, TEXT), TEXT);
  }

  private static <T> Seq<T> seq(List<T> list) {
    return CollectionConverters.asScala(list).toSeq();
  }
}
