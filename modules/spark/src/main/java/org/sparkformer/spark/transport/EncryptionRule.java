package org.sparkformer.spark.transport;

import java.io.File;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.network.util.TransportConf;

/**
 * Which of Spark's encryption settings may carry gradients. AES/CTR has no integrity check and has
 * delivered corrupted bytes unnoticed; version 1 of the key exchange derives keys weakly; SASL may
 * be fallen back to by whoever sits between. By TLS without a trust store Spark takes every
 * certificate, so that of whoever sits between too, and without authentication anybody's call.
 */
final class EncryptionRule {
  private static final String SAFE_CIPHER = "AES/GCM/NoPadding";
  private static final int SAFE_ENGINE = 2;
  private static final String OR_TLS = ", or use TLS (spark.ssl.rpc.enabled=true)";

  private EncryptionRule() {}

  /**
   * Says nothing about clusters that ask for no encryption.
   *
   * @throws IllegalArgumentException naming every unsafe setting and its cure
   */
  static void check(TransportConf conf, boolean authenticated) {
    if (conf.sslRpcEnabledAndKeysAreValid()) {
      refuseIfAny(tlsCures(conf, authenticated), "");
    } else if (conf.encryptionEnabled()) {
      refuseIfAny(cryptoCures(conf, authenticated), OR_TLS);
      requireWorkingGcm();
    } else if (conf.saslEncryption()) {
      refuseIfAny(
          List.of(
              "spark.authenticate.enableSaslEncryption=false", "spark.network.crypto.enabled=true"),
          OR_TLS);
    }
  }

  private static void refuseIfAny(List<String> cures, String otherwise) {
    if (!cures.isEmpty()) {
      throw new IllegalArgumentException(
          "encryption is asked for, but these settings would not protect gradients; set "
              + String.join(", ", cures)
              + otherwise);
    }
  }

  private static List<String> tlsCures(TransportConf conf, boolean authenticated) {
    List<String> cures = new ArrayList<>();
    if (!authenticated) {
      cures.add("spark.authenticate=true");
    }
    File trusted = conf.sslRpcTrustStore();
    if (trusted == null || !trusted.isFile()) {
      cures.add(
          "spark.ssl.rpc.trustStore to the file of the certificates to trust (is "
              + (trusted == null ? "not set" : trusted + ", which is no file here")
              + ")");
    }
    return cures;
  }

  private static void requireWorkingGcm() {
    if (!GcmProbe.carriesSeveralMessages()) {
      throw new IllegalArgumentException(
          "this Spark's AES/GCM loses every message after a connection's first (SPARK-56227):"
              + " use TLS (spark.ssl.rpc.enabled=true) or a Spark release with the fix");
    }
  }

  private static List<String> cryptoCures(TransportConf conf, boolean authenticated) {
    List<String> cures = new ArrayList<>();
    if (!authenticated) {
      cures.add("spark.authenticate=true");
    }
    if (!SAFE_CIPHER.equalsIgnoreCase(conf.cipherTransformation())) {
      cures.add(
          "spark.network.crypto.cipher="
              + SAFE_CIPHER
              + " (is "
              + conf.cipherTransformation()
              + ")");
    }
    if (conf.authEngineVersion() != SAFE_ENGINE) {
      cures.add(
          "spark.network.crypto.authEngineVersion="
              + SAFE_ENGINE
              + " (is "
              + conf.authEngineVersion()
              + ")");
    }
    if (conf.saslFallback()) {
      cures.add("spark.network.crypto.saslFallback=false");
    }
    return cures;
  }
}
