package org.sparkformer.spark;

import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.rdd.RDD;
import org.sparkformer.spark.dataset.PlacedRows;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/**
 * Ranks that run at the same time: one barrier stage with one task a rank.
 *
 * <p>It is the last stage of its job, which Spark never starts again after a failure: it would wait
 * for as many slots as before, without an end, where an executor is gone for good. Whoever runs the
 * gang launches another, of the size that the cluster has room for.
 */
final class Gang {
  private static final ClassTag<byte[]> ROW = ClassTag$.MODULE$.apply(byte[].class);
  private static final long LOOK_MILLISECONDS = 1000;

  private final JavaSparkContext context;
  private final GangSlots slots;
  private final int ranks;
  private final List<String> hosts;
  private volatile GangWatch watch;

  /**
   * @param slots looked at while the gang waits for its slots, and works
   * @param hosts that ranks are best placed on, by any of their names
   */
  Gang(JavaSparkContext context, GangSlots slots, int ranks, List<String> hosts) {
    this.context = context;
    this.slots = slots;
    this.ranks = ranks;
    this.hosts = hosts;
  }

  /**
   * Runs the work on every rank and waits for all of them.
   *
   * @param launch how often this run's work was launched before: fences off what earlier launches
   *     left behind
   * @return rank 0's answer
   * @throws GangException when the attempt ended early, with the cause that lies deepest, or when
   *     Spark has stopped
   */
  byte[] run(RankWork work, int launch) throws GangException, InterruptedException {
    String group = "sparkformer-" + UUID.randomUUID();
    watch = new GangWatch(context.sc(), group);
    context.sc().addSparkListener(watch);
    context.setJobGroup(group, "training on " + ranks + " ranks", true);
    try {
      return await(start(new RankFunction(work, launch)));
    } catch (ExecutionException e) {
      throw watch.explain(e.getCause());
    } catch (IllegalStateException e) {
      throw new GangException(RankException.Kind.FAILED, e.getMessage(), e);
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

  private JavaFutureAction<List<byte[]>> start(RankFunction function) {
    List<PlacedRows.Row> rows =
        IntStream.range(0, ranks)
            .mapToObj(rank -> new PlacedRows.Row(Integer.toString(rank), hosts))
            .toList();
    RDD<byte[]> answers =
        PlacedRows.of(context, rows).rdd().barrier().mapPartitions(function, false, ROW);
    return JavaRDD.fromRDD(answers, ROW).collectAsync();
  }

  private byte[] await(JavaFutureAction<List<byte[]>> answers)
      throws ExecutionException, InterruptedException {
    while (true) {
      try {
        return answers.get(LOOK_MILLISECONDS, TimeUnit.MILLISECONDS).get(0);
      } catch (TimeoutException atWork) {
        if (!context.sc().isStopped() && slots.isTooShort(ranks, watch.hasBegun())) {
          abandon(slots.shortage(ranks));
        }
      } catch (InterruptedException e) {
        answers.cancel(true);
        throw e;
      }
    }
  }
}
