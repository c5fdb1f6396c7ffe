package org.sparkformer.spark;

import org.sparkformer.collective.CollectiveException;
import org.sparkformer.data.CorruptDatasetException;
import org.sparkformer.opencl.ProgramBuildException;
import org.sparkformer.tensor.OutOfDeviceMemoryException;
import org.sparkformer.training.CorruptCheckpointException;
import org.sparkformer.training.LossSpikeException;
import org.sparkformer.training.NonFiniteGradientException;
import org.sparkformer.training.RunInUseException;

/** The end of a rank's work, as it reaches the driver. */
final class RankException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What an ending means for the run. Of several endings, the first kind in this order is told. */
  enum Kind {
    /** What the user gave cannot work: trying again would end the same way. */
    REFUSED,
    /**
     * Would go wrong again: divergence, memory that ran out, a kernel that does not compile, a
     * folder that another run took.
     */
    HOPELESS,
    /** Something broke here; another attempt may do better. */
    FAILED,
    /** A peer went away first. */
    PEER_LOST;

    /** Whether another attempt would end the same way. */
    boolean lasting() {
      return this == REFUSED || this == HOPELESS;
    }
  }

  private final Kind kind;

  private RankException(Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  /** How {@code cause} ended a rank's work. */
  static RankException of(RankContext context, Throwable cause) {
    Kind kind = kindOf(cause);
    String text = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    if (cause instanceof OutOfMemoryError) {
      text =
          "Java has too little memory (%s): raise spark.executor.memory, in local mode -Xmx"
              .formatted(text);
    }
    String place =
        "rank %d of %d on %s: "
            .formatted(context.rank(), context.size(), context.hosts().get(context.rank()));
    // A request that cannot work is at fault wherever it is found, unless machines differ.
    boolean everywhere = kind.lasting() && context.onDriver();
    return new RankException(kind, everywhere ? text : place + text, cause);
  }

  private static Kind kindOf(Throwable cause) {
    if (cause instanceof CollectiveException) {
      return Kind.PEER_LOST;
    }
    if (isTakenOver(cause)
        || cause instanceof OutOfMemoryError
        || cause instanceof NonFiniteGradientException
        || cause instanceof LossSpikeException
        || cause instanceof ProgramBuildException
        || cause instanceof OutOfDeviceMemoryException) {
      return Kind.HOPELESS;
    }
    boolean refused =
        cause instanceof IllegalArgumentException
            || cause instanceof CorruptDatasetException
            || cause instanceof CorruptCheckpointException;
    return refused ? Kind.REFUSED : Kind.FAILED;
  }

  /** Wherever it was found: a checkpoint that could not be written says so with this as a cause. */
  private static boolean isTakenOver(Throwable cause) {
    return cause != null && (cause instanceof RunInUseException || isTakenOver(cause.getCause()));
  }

  Kind kind() {
    return kind;
  }
}
