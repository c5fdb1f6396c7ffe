package org.sparkformer.spark;

import java.io.Serializable;

/** What each rank of a gang does; shipped to the executors. */
@FunctionalInterface
interface RankWork extends Serializable {
  /**
   * Does one rank's part, from its beginning to its end. An interrupt means that the attempt is
   * over.
   *
   * @return what the driver is to know; small
   */
  byte[] run(RankContext context) throws Exception;
}
