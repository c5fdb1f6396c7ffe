package org.sparkformer.training;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import org.sparkformer.collective.Collective;

/** Compares digests of what all ranks should hold alike. */
final class ReplicaDigests {
  private ReplicaDigests() {}

  /**
   * Called on all ranks at the same moment.
   *
   * @param own this rank's digest
   * @param when that moment, for people
   * @return the digest, the same on every rank
   * @throws ReplicasDifferException naming the ranks that are outvoted
   */
  static String requireSame(Collective collective, String own, String when) {
    List<String> digests =
        collective.allGather(own.getBytes(StandardCharsets.US_ASCII)).stream()
            .map(bytes -> new String(bytes, StandardCharsets.US_ASCII))
            .toList();
    if (new HashSet<>(digests).size() > 1) {
      throw new ReplicasDifferException(when, digests);
    }
    return own;
  }
}
