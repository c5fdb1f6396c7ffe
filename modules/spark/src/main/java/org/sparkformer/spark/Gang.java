package org.sparkformer.spark;

import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.rdd.RDD;
import org.sparkformer.spark.dataset.PlacedRows;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/**
 * Ranks that run at the same time: one barrier stage with one task a rank.
 *
 * <p>The stage feeds a shuffle of one row, because Spark starts a barrier stage again after a
 * failure only where it is not the last stage of its job.
 */
final class Gang {
  private static final ClassTag<byte[]> ROW = ClassTag$.MODULE$.apply(byte[].class);

  private final JavaSparkContext context;
  private final int ranks;
  private final List<String> hosts;
  private volatile GangWatch watch;

  /** Wherever there is room. */
  Gang(JavaSparkContext context, int ranks) {
    this(context, ranks, List.of());
  }

  /**
   * @param hosts that ranks are best placed on, by any of their names
   */
  Gang(JavaSparkContext context, int ranks, List<String> hosts) {
    this.context = context;
    this.ranks = ranks;
    this.hosts = hosts;
  }

  /**
   * Runs the work on every rank and waits for all of them.
   *
   * @param launch how often this run's work was launched before: fences off what earlier launches
   *     left behind
   * @param retries asked before Spark starts the stage again; may refuse
   * @return rank 0's answer
   * @throws GangException when the attempt ended early, with the cause that lies deepest
   */
  byte[] run(RankWork work, int launch, GangWatch.Retries retries) throws GangException {
    String group = "sparkformer-" + UUID.randomUUID();
    watch = new GangWatch(context.sc(), group, retries);
    context.sc().addSparkListener(watch);
    context.setJobGroup(group, "training on " + ranks + " ranks", true);
    try {
      return collect(new RankFunction(work, launch));
    } catch (Exception e) {
      // collect() declares nothing, but throws SparkException, which is checked.
      throw e instanceof SparkException || e.getCause() instanceof SparkException
          ? watch.explain(e)
          : new GangException(RankException.Kind.FAILED, e.toString(), e);
    } finally {
      context.clearJobGroup();
      context.sc().removeSparkListener(watch);
    }
  }

  /**
   * Ends the running work, of which a rank is stuck and cannot say so by ending.
   *
   * @param cause told to whoever runs the work
   */
  void abandon(String cause) {
    watch.abandon(cause);
  }

  private byte[] collect(RankFunction function) {
    List<PlacedRows.Row> rows =
        IntStream.range(0, ranks)
            .mapToObj(rank -> new PlacedRows.Row(Integer.toString(rank), hosts))
            .toList();
    RDD<byte[]> answers =
        PlacedRows.of(context, rows).rdd().barrier().mapPartitions(function, false, ROW);
    return JavaRDD.fromRDD(answers, ROW).repartition(1).collect().get(0);
  }
}
