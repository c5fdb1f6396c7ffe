package org.sparkformer.spark.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.List;
import org.apache.hadoop.fs.BlockLocation;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.junit.jupiter.api.Test;

class BlockHostsTest {
  @Test
  void thoseThatHoldTheMostComeFirstUnderBothOfTheirNames() throws Exception {
    BlockHosts hosts = new BlockHosts();
    hosts.add(new Cluster("few", "large"), new Path("/one"), 0, 100);
    hosts.add(new Cluster("middle", "large"), new Path("/two"), 0, 150);
    assertEquals(List.of("large", "10.0.0.5", "middle", "10.0.0.6"), hosts.most(2));
    assertEquals(
        List.of("large", "10.0.0.5", "middle", "10.0.0.6", "few", "10.0.0.3"), hosts.most(9));
  }

  @Test
  void localDisksNameNobody() throws Exception {
    BlockHosts hosts = new BlockHosts();
    hosts.add(new Cluster("localhost"), new Path("/one"), 0, 100);
    assertEquals(List.of(), hosts.most(3));
  }

  /** Every range of a file is one block, on the same hosts; addresses end with a name's length. */
  private static final class Cluster extends RawLocalFileSystem {
    private final String[] hosts;

    Cluster(String... hosts) {
      this.hosts = hosts;
    }

    @Override
    public BlockLocation[] getFileBlockLocations(Path file, long start, long length)
        throws IOException {
      String[] names = new String[hosts.length];
      for (int i = 0; i < hosts.length; i++) {
        names[i] = "10.0.0." + hosts[i].length() + ":9866";
      }
      return new BlockLocation[] {new BlockLocation(names, hosts, start, length)};
    }

    @Override
    public BlockLocation[] getFileBlockLocations(FileStatus file, long start, long length)
        throws IOException {
      return getFileBlockLocations(file.getPath(), start, length);
    }
  }
}
