package org.sparkformer.spark;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.BarrierTaskContext;
import scala.collection.Iterator;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.AbstractFunction1;

/** A rank's work as the function of a barrier stage; rank 0's answer is the only row. */
final class RankFunction extends AbstractFunction1<Iterator<String>, Iterator<byte[]>>
    implements Serializable {
  private static final long serialVersionUID = 1L;

  /** How long the failure of a peer is given to reach the driver before its consequence here. */
  private static final long CAUSE_MILLISECONDS = 3000;

  private final RankWork work;
  private final int launch;

  RankFunction(RankWork work, int launch) {
    this.work = work;
    this.launch = launch;
  }

  @Override
  public Iterator<byte[]> apply(Iterator<String> rank) {
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
      RankException ending = RankException.of(context, e);
      if (ending.kind() == RankException.Kind.PEER_LOST) {
        letThePeerEndFirst(context);
      }
      throw ending;
    }
  }

  /**
   * Spark kills all tasks of the stage at the first failure that it hears of, and a task that was
   * killed tells no cause: the peer's ending is to be that first one, not what followed from it.
   */
  private static void letThePeerEndFirst(RankContext context) {
    try {
      Thread.sleep(CAUSE_MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      context.endIfKilled();
    }
  }
}
