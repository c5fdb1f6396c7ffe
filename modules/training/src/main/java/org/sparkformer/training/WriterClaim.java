package org.sparkformer.training;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * Who writes a run's folder.
 *
 * @param token rises with every writer of the folder
 * @param id of this claim alone
 * @param host for people
 * @param machine boot and process namespace, within which {@code pid} means something; empty where
 *     the system does not tell
 * @param pid process of the driver
 * @param started when that process did; empty where the system does not tell
 * @param application Spark's name for it
 * @param time of the claim, for people
 */
record WriterClaim(
    long token,
    String id,
    String host,
    String machine,
    long pid,
    String started,
    String application,
    String time) {

  WriterClaim {
    requireNonNull(machine, "machine");
    requireNonNull(started, "started");
  }

  /** A claim of this process. */
  static WriterClaim own(long token, String application) {
    ProcessHandle process = ProcessHandle.current();
    return new WriterClaim(
        token,
        UUID.randomUUID().toString(),
        hostName(),
        machineName(),
        process.pid(),
        started(process),
        application,
        Instant.now().toString());
  }

  /** Whether its process ran on this machine and is known to have ended. */
  boolean isGone() {
    if (machine.isEmpty() || started.isEmpty() || !machine.equals(machineName())) {
      return false;
    }
    Optional<ProcessHandle> process = ProcessHandle.of(pid);
    return process.isEmpty() || !started.equals(started(process.get()));
  }

  String description() {
    return "application %s, process %d on %s".formatted(application, pid, host);
  }

  private static String started(ProcessHandle process) {
    return process.info().startInstant().map(Instant::toString).orElse("");
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException unnamed) {
      return "a host without a name";
    }
  }

  private static String machineName() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip()
          + " "
          + Files.readSymbolicLink(Path.of("/proc/self/ns/pid"));
    } catch (IOException notLinux) {
      return "";
    }
  }
}
