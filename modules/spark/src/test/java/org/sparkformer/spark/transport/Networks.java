package org.sparkformer.spark.transport;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.spark.SparkConf;
import scala.Tuple2;

/** Spark networks of one machine as clusters configure them. */
final class Networks {
  private static final String PASSWORD = "changeit";

  private Networks() {}

  static SparkConf plain() {
    return new SparkConf(false);
  }

  static SparkConf authenticated(String secret) {
    return plain().set("spark.authenticate", "true").set("spark.authenticate.secret", secret);
  }

  static SparkConf gcm(String secret) {
    return authenticated(secret)
        .set("spark.network.crypto.enabled", "true")
        .set("spark.network.crypto.cipher", "AES/GCM/NoPadding")
        .set("spark.network.crypto.authEngineVersion", "2")
        .set("spark.network.crypto.saslFallback", "false");
  }

  /** TLS with a certificate made on the spot. */
  static SparkConf tls(String secret, Path folder) throws IOException, InterruptedException {
    Path store = folder.resolve("keys.p12");
    if (!Files.exists(store)) {
      makeCertificate(store);
    }
    return authenticated(secret)
        .set("spark.ssl.rpc.enabled", "true")
        .set("spark.ssl.rpc.protocol", "TLSv1.3")
        .set("spark.ssl.rpc.keyStore", store.toString())
        .set("spark.ssl.rpc.keyStoreType", "PKCS12")
        .set("spark.ssl.rpc.keyStorePassword", PASSWORD)
        .set("spark.ssl.rpc.keyPassword", PASSWORD)
        .set("spark.ssl.rpc.trustStore", store.toString())
        .set("spark.ssl.rpc.trustStoreType", "PKCS12")
        .set("spark.ssl.rpc.trustStorePassword", PASSWORD);
  }

  private static void makeCertificate(Path store) throws IOException, InterruptedException {
    String keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
    List<String> command =
        List.of(
            keytool,
            "-genkeypair",
            "-alias",
            "rank",
            "-keyalg",
            "EC",
            "-dname",
            "CN=localhost",
            "-validity",
            "2",
            "-storetype",
            "PKCS12",
            "-storepass",
            PASSWORD,
            "-keystore",
            store.toString());
    if (new ProcessBuilder(command).inheritIO().start().waitFor() != 0) {
      throw new IOException("keytool failed");
    }
  }

  static SparkNetwork network(SparkConf conf) {
    return SparkNetwork.loopback(
        Arrays.stream(conf.getAll()).collect(Collectors.toMap(Tuple2::_1, Tuple2::_2)));
  }
}
