package org.sparkformer.training;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
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
 * @param started when that process did, in ticks since the boot; empty where the system does not
 *     tell
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

  /** Fields of {@code /proc/PID/stat} between the program's name and the 22nd, the start. */
  private static final int START_AFTER_NAME = 19;

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
        started(process.pid()),
        application,
        Instant.now().toString());
  }

  /** Whether its process ran on this machine and is known to have ended. */
  boolean isGone() {
    if (machine.isEmpty() || started.isEmpty() || !machine.equals(machineName())) {
      return false;
    }
    return !started.equals(started(pid));
  }

  String description() {
    return "application %s, process %d on %s".formatted(application, pid, host);
  }

  /**
   * In ticks since the boot, as Linux has it; empty where there is no such process. What Java makes
   * of it, an instant, moves for a process that lives when the clock is set.
   */
  private static String started(long pid) {
    try {
      String status = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
      // The name of the program comes second, in parentheses, and may have spaces.
      return status.substring(status.lastIndexOf(')') + 2).split(" ")[START_AFTER_NAME];
    } catch (IOException none) {
      return "";
    }
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
