package org.sparkformer.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.sparkformer.testkit.StandaloneCluster.Host;

/**
 * Network namespaces that stand in for hosts: {@code hosts.sh} makes them; closing takes them away,
 * and so does a signal that ends this process. What one leaves behind that is killed, the next
 * clears away.
 */
final class NetworkHosts implements AutoCloseable {
  private final Path script;
  private final int count;

  /** Null as long as they are not there. */
  private String description;

  private NetworkHosts(Path script, int count) {
    this.script = script;
    this.count = count;
  }

  /**
   * Makes hosts with links of 1 Gbit/s and 0.2 ms there and back.
   *
   * @param script {@code hosts.sh}
   * @param percent of one processor that each host gets; 0 sets no limit
   * @throws IOException with the script's words, when it cannot
   */
  static NetworkHosts up(Path script, int count, int percent)
      throws IOException, InterruptedException {
    NetworkHosts hosts = new NetworkHosts(script, count);
    Runtime.getRuntime().addShutdownHook(new Thread(hosts::takeAway, "hosts-down"));
    hosts.make(percent);
    return hosts;
  }

  /** A signal in the midst of it is heeded at its end, for others' hosts are not ours to remove. */
  private synchronized void make(int percent) throws IOException, InterruptedException {
    Map<String, String> environment =
        Map.of(
            "SHARE",
            Integer.toString(percent),
            "OWNER",
            Long.toString(ProcessHandle.current().pid()));
    description = call(environment, "up", Integer.toString(count));
  }

  private void takeAway() {
    try {
      close();
    } catch (IOException e) {
      System.err.println(e.getMessage());
    }
  }

  /** What the links do. */
  synchronized String description() {
    return description;
  }

  /** Beside the bridge, without a limit: the place of driver and master. */
  Host front() {
    return new Host("10.77.0.254", prefix(0));
  }

  /** All hosts, the first with number 1. */
  List<Host> all() {
    return IntStream.rangeClosed(1, count)
        .mapToObj(number -> new Host("10.77.0." + number, prefix(number)))
        .toList();
  }

  private List<String> prefix(int number) {
    return List.of(script.toString(), "run", Integer.toString(number));
  }

  /** Takes the link of a host down: nothing that it sends or is sent arrives. */
  void cut(int number) throws IOException, InterruptedException {
    call(Map.of(), "cut", Integer.toString(number));
  }

  /** Brings the link of a host up again. */
  void heal(int number) throws IOException, InterruptedException {
    call(Map.of(), "heal", Integer.toString(number));
  }

  /** Refuses what a host sends to another, and ends its connections there by an error, at once. */
  void refuse(int from, int to) throws IOException, InterruptedException {
    call(Map.of(), "refuse", Integer.toString(from), Integer.toString(to));
  }

  /** Takes {@link #refuse} back. */
  void allow(int from, int to) throws IOException, InterruptedException {
    call(Map.of(), "allow", Integer.toString(from), Integer.toString(to));
  }

  @Override
  public synchronized void close() throws IOException {
    if (description == null) {
      return;
    }
    try {
      call(Map.of(), "down");
      description = null;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while the hosts were taken away: hosts.sh down does", e);
    }
  }

  private String call(Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(script.toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    String words = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException("%s failed: %s".formatted(String.join(" ", command), words.strip()));
    }
    return words.strip();
  }
}
