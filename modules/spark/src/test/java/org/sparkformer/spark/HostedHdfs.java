package org.sparkformer.spark;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.BlockLocation;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.hadoop.hdfs.server.datanode.DataNode;

/**
 * HDFS with a datanode on each of several hosts, which are addresses of this machine. HDFS knows
 * hosts by other names than Spark, and keeps one copy of a block, on the host that writes it.
 */
final class HostedHdfs implements AutoCloseable {
  private final MiniDFSCluster hdfs;
  private final List<DataNode> dataNodes = new ArrayList<>();

  private HostedHdfs(MiniDFSCluster hdfs) {
    this.hdfs = hdfs;
  }

  static HostedHdfs start(Path folder, List<String> addresses)
      throws IOException, InterruptedException {
    HostedHdfs hosted =
        new HostedHdfs(
            new MiniDFSCluster.Builder(new Configuration(), folder.resolve("hdfs").toFile())
                .numDataNodes(0)
                .build());
    for (String address : addresses) {
      hosted.dataNodes.add(hosted.dataNode(folder.resolve(address), address));
    }
    while (hosted.hdfs.getNamesystem().getNumLiveDataNodes() < addresses.size()) {
      Thread.sleep(20);
    }
    return hosted;
  }

  private DataNode dataNode(Path folder, String address) throws IOException {
    Configuration settings =
        DataNodeProcess.settings(folder.toString(), uri(), "datanode-of-" + address, address);
    clientSettings().forEach(settings::set);
    settings.set(HostSockets.ADDRESS, address);
    return DataNode.createDataNode(new String[0], settings);
  }

  String uri() {
    return hdfs.getURI().toString();
  }

  /** Of whoever reads and writes. */
  static Map<String, String> clientSettings() {
    return Map.of("dfs.replication", "1", HostSockets.FACTORY, HostSockets.class.getName());
  }

  /** Writes a file as a client on that host does. */
  void write(String address, String file, String text) throws IOException {
    try (FileSystem files = client(address);
        FSDataOutputStream out = files.create(new org.apache.hadoop.fs.Path(file))) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }

  /** Bytes of a folder's files that lie on each host, by its address. */
  Map<String, Long> bytesByHost(String folder) throws IOException {
    Map<String, Long> bytes = new HashMap<>();
    try (FileSystem files = client("127.0.0.1")) {
      for (FileStatus file : files.listStatus(new org.apache.hadoop.fs.Path(folder))) {
        for (BlockLocation block : files.getFileBlockLocations(file, 0, file.getLen())) {
          String address = block.getNames()[0].split(":")[0];
          bytes.merge(address, block.getLength(), Long::sum);
        }
      }
    }
    return bytes;
  }

  /** Of its own: the cluster's, of no replica, would be taken from Hadoop's cache by others. */
  private FileSystem client(String address) throws IOException {
    Configuration settings = new Configuration(false);
    clientSettings().forEach(settings::set);
    settings.set(HostSockets.ADDRESS, address);
    return FileSystem.newInstance(URI.create(uri()), settings);
  }

  @Override
  public void close() {
    dataNodes.forEach(DataNode::shutdown);
    hdfs.close();
  }
}
