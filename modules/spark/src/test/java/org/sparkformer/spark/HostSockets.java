package org.sparkformer.spark;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.Objects;
import org.apache.hadoop.conf.Configurable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.net.StandardSocketFactory;

/**
 * Sockets of Hadoop's that call from the address of a host, where several hosts are addresses of
 * one machine: the namenode takes datanodes and clients for those of the address that they call
 * from. Hadoop makes it, by its name.
 */
public final class HostSockets extends StandardSocketFactory implements Configurable {
  /** The setting that has Hadoop make these. */
  static final String FACTORY = "hadoop.rpc.socket.factory.class.default";

  /** The setting of the address. */
  static final String ADDRESS = "org.sparkformer.test.address";

  /** The address of the worker, and so of its executors, where no setting says one. */
  private static final String SPARK_ADDRESS = "SPARK_LOCAL_IP";

  private Configuration configuration;
  private String address;

  @Override
  public void setConf(Configuration given) {
    configuration = given;
    address = given.get(ADDRESS, System.getenv(SPARK_ADDRESS));
  }

  @Override
  public Configuration getConf() {
    return configuration;
  }

  @Override
  public Socket createSocket() throws IOException {
    Socket socket = super.createSocket();
    if (address != null) {
      socket.bind(new InetSocketAddress(address, 0));
    }
    return socket;
  }

  /** Connections are shared by those whose sockets are the same. */
  @Override
  public boolean equals(Object other) {
    return other instanceof HostSockets sockets && Objects.equals(address, sockets.address);
  }

  @Override
  public int hashCode() {
    return Objects.hashCode(address);
  }
}
