package org.sparkformer.spark;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.BarrierTaskContext;
import scala.collection.Iterator;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.AbstractFunction1;

/** A rank's work as the function of a barrier stage; rank 0's answer is the only row. */
final class RankFunction extends AbstractFunction1<Iterator<Object>, Iterator<byte[]>>
    implements Serializable {
  private static final long serialVersionUID = 1L;

  private final RankWork work;
  private final int launch;

  RankFunction(RankWork work, int launch) {
    this.work = work;
    this.launch = launch;
  }

  @Override
  public Iterator<byte[]> apply(Iterator<Object> rank) {
    RankContext context = new RankContext(BarrierTaskContext.get(), launch);
    byte[] answer = run(context);
    List<byte[]> rows = context.rank() == 0 ? List.of(answer) : List.of();
    return CollectionConverters.asScala(rows.iterator());
  }

  // Whatever ends a rank's work, an Error included, is told to the driver and ends the task.
  private byte[] run(RankContext context) {
    try {
      return work.run(context);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      context.endIfKilled();
      throw RankException.of(context, e);
    } catch (Exception | LinkageError | OutOfMemoryError e) {
      context.endIfKilled();
      throw RankException.of(context, e);
    }
  }
}
