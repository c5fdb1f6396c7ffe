package org.sparkformer.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** Where processes of this machine listen, as Linux tells it. */
final class ListeningPorts {
  private static final String LISTENS = "0A";

  private ListeningPorts() {}

  /** As {@code address:port}. */
  static List<String> of(List<ProcessHandle> processes) throws IOException {
    List<String> addresses = new ArrayList<>();
    for (ProcessHandle process : processes) {
      Path folder = Path.of("/proc", Long.toString(process.pid()));
      Set<String> sockets = sockets(folder.resolve("fd"));
      for (String table : List.of("tcp", "tcp6")) {
        for (String line : Files.readAllLines(folder.resolve("net").resolve(table))) {
          String[] columns = line.strip().split("\\s+");
          if (columns[3].equals(LISTENS) && sockets.contains(columns[9])) {
            addresses.add(address(columns[1]));
          }
        }
      }
    }
    return addresses;
  }

  /** Of an address in hexadecimal, whose last four bytes are IPv4's, the last one first. */
  private static String address(String hexadecimal) {
    int colon = hexadecimal.lastIndexOf(':');
    long host = Long.parseLong(hexadecimal.substring(colon - 8, colon), 16);
    String name =
        host == 0
            ? "localhost"
            : "%d.%d.%d.%d"
                .formatted(host & 255, host >> 8 & 255, host >> 16 & 255, host >> 24 & 255);
    return name + ":" + Integer.parseInt(hexadecimal.substring(colon + 1), 16);
  }

  /** Their inodes. */
  private static Set<String> sockets(Path descriptors) throws IOException {
    Set<String> inodes = new HashSet<>();
    try (Stream<Path> files = Files.list(descriptors)) {
      for (Path file : files.toList()) {
        if (Files.isSymbolicLink(file)) {
          String target = linkOf(file);
          if (target.startsWith("socket:[")) {
            inodes.add(target.substring("socket:[".length(), target.length() - 1));
          }
        }
      }
    }
    return inodes;
  }

  private static String linkOf(Path file) {
    try {
      return Files.readSymbolicLink(file).toString();
    } catch (IOException closed) {
      return "";
    }
  }
}
