package org.sparkformer.spark.transport;

import java.util.List;
import java.util.Map;
import org.apache.spark.SecurityManager;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.network.TransportContext;
import org.apache.spark.network.client.TransportClientBootstrap;
import org.apache.spark.network.crypto.AuthClientBootstrap;
import org.apache.spark.network.crypto.AuthServerBootstrap;
import org.apache.spark.network.netty.SparkTransportConf;
import org.apache.spark.network.server.RpcHandler;
import org.apache.spark.network.server.TransportServerBootstrap;
import org.apache.spark.network.util.TransportConf;
import scala.Option;

/**
 * Spark's own network layer as this application has it configured: same authentication, same
 * encryption, same tuning ({@code spark.rpc.io.*}, {@code spark.network.crypto.*}, {@code
 * spark.ssl.rpc.*}) as Spark's remote procedure calls.
 */
public final class SparkNetwork {
  private static final String MODULE = "rpc";
  private static final String DRIVER = "driver";
  private static final int MOST_THREADS = 4;

  private final SecurityManager security;
  private final TransportConf conf;
  private final String host;
  private final String bindAddress;

  /**
   * @param host name or address under which the other processes reach this one
   * @param bindAddress local address to listen on; differs from {@code host} where addresses are
   *     translated
   * @throws IllegalArgumentException when encryption is asked for in a form that would not protect
   *     the frames
   */
  public SparkNetwork(
      SparkConf sparkConf, SecurityManager security, String host, String bindAddress) {
    this.security = security;
    this.host = host;
    this.bindAddress = bindAddress;
    int threads = Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors());
    this.conf =
        SparkTransportConf.fromSparkConf(
            sparkConf, MODULE, threads, Option.empty(), Option.apply(security.getRpcSSLOptions()));
    EncryptionRule.check(conf, security.isAuthenticationEnabled());
  }

  /**
   * Between processes of this machine, outside of any Spark application.
   *
   * @param settings as in Spark's configuration
   */
  public static SparkNetwork loopback(Map<String, String> settings) {
    SparkConf conf = new SparkConf(false);
    settings.forEach(conf::set);
    SecurityManager security =
        new SecurityManager(conf, Option.empty(), SecurityManager.$lessinit$greater$default$3());
    return new SparkNetwork(conf, security, "localhost", "localhost");
  }

  /** Of the process that this runs in, a driver or an executor. */
  public static SparkNetwork of(SparkEnv env) {
    String host = env.blockManager().blockManagerId().host();
    boolean driver = DRIVER.equals(env.executorId());
    String bindAddress = driver ? env.conf().get("spark.driver.bindAddress", host) : host;
    return new SparkNetwork(env.conf(), env.securityManager(), host, bindAddress);
  }

  /** Name or address under which the other processes reach this one. */
  public String host() {
    return host;
  }

  String bindAddress() {
    return bindAddress;
  }

  TransportContext context(RpcHandler handler) {
    return new TransportContext(conf, handler);
  }

  List<TransportServerBootstrap> serverBootstraps() {
    return security.isAuthenticationEnabled()
        ? List.of(new AuthServerBootstrap(conf, security))
        : List.of();
  }

  List<TransportClientBootstrap> clientBootstraps() {
    return security.isAuthenticationEnabled()
        ? List.of(new AuthClientBootstrap(conf, security.getSaslUser(), security))
        : List.of();
  }
}
