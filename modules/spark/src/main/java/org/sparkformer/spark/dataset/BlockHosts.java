package org.sparkformer.spark.dataset;

import java.io.IOException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.BlockLocation;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkformer.data.HadoopFiles;

/**
 * Which hosts hold the bytes of files, so that Spark may start tasks there. File systems that keep
 * nothing on hosts (local disks, object stores) name none.
 */
public final class BlockHosts {
  /** What file systems without hosts answer. */
  private static final String NOWHERE = "localhost";

  private final Map<Holder, Long> bytes = new HashMap<>();

  BlockHosts() {}

  /**
   * A host under both of its names: HDFS tells the first, and Spark's executors are known by either
   * one.
   */
  private record Holder(String host, String address) {
    static Holder of(String host, String name) {
      return new Holder(host, name.replaceFirst(":\\d+$", ""));
    }

    Stream<String> names() {
      return Stream.of(host, address).distinct();
    }
  }

  /** Of all files that lie in a folder. */
  public static BlockHosts ofFolder(Configuration hadoop, String folder) throws IOException {
    Path path = new Path(folder);
    FileSystem fileSystem = HadoopFiles.of(path, hadoop);
    BlockHosts hosts = new BlockHosts();
    for (FileStatus file : fileSystem.listStatus(path)) {
      if (file.isFile()) {
        hosts.add(fileSystem.getFileBlockLocations(file, 0, file.getLen()));
      }
    }
    return hosts;
  }

  /** Counts bytes {@code start} to {@code end} of a file. */
  void add(FileSystem fileSystem, Path file, long start, long end) throws IOException {
    add(fileSystem.getFileBlockLocations(file, start, end - start));
  }

  private void add(BlockLocation[] blocks) throws IOException {
    for (BlockLocation block : blocks) {
      String[] hosts = block.getHosts();
      String[] names = block.getNames();
      for (int i = 0; i < Math.min(hosts.length, names.length); i++) {
        if (!hosts[i].equals(NOWHERE)) {
          bytes.merge(Holder.of(hosts[i], names[i]), block.getLength(), Long::sum);
        }
      }
    }
  }

  /** Names of the hosts that hold the most, at most {@code count} of them. */
  public List<String> most(int count) {
    Comparator<Map.Entry<Holder, Long>> byBytes = Map.Entry.comparingByValue();
    return bytes.entrySet().stream()
        .sorted(byBytes.reversed().thenComparing(entry -> entry.getKey().host()))
        .limit(count)
        .flatMap(entry -> entry.getKey().names())
        .toList();
  }
}
