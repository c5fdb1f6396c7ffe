package org.sparkformer.spark;

import java.io.Serializable;
import java.time.Duration;
import org.sparkformer.training.configuration.RunConfiguration;

/**
 * What every rank is told.
 *
 * @param configuration what is trained
 * @param dataset folder of the token shards
 * @param output the run's folder
 * @param device selector
 * @param resume go on from the newest checkpoint
 * @param writer the driver's right to write the run's folder
 * @param channels how ranks and driver find each other
 */
record RankOrder(
    RunConfiguration configuration,
    String dataset,
    String output,
    String device,
    boolean resume,
    Writer writer,
    Channels channels)
    implements Serializable {

  /** For another launch: what the first one left is gone on from. */
  RankOrder resumed() {
    return new RankOrder(configuration, dataset, output, device, true, writer, channels);
  }

  /**
   * @param token of {@link org.sparkformer.training.RunLease}
   * @param recheck how old an answer may be where nothing is committed
   */
  record Writer(long token, Duration recheck) implements Serializable {}

  /**
   * @param runId of this launch of the driver
   * @param driver address of its link
   */
  record Channels(String runId, String driver) implements Serializable {}
}
