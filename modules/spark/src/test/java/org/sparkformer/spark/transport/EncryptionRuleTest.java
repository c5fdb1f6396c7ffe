package org.sparkformer.spark.transport;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EncryptionRuleTest {
  @TempDir Path folder;

  @Test
  void unencryptedClustersAndTlsAreServed() {
    assertDoesNotThrow(() -> Networks.network(Networks.plain()));
    assertDoesNotThrow(() -> Networks.network(Networks.authenticated("s")));
    assertDoesNotThrow(() -> Networks.network(Networks.tls("s", folder)));
  }

  @Test
  void tlsThatTakesAnyCertificateOrAnyCallerIsRefused() throws Exception {
    String trustStore = "spark.ssl.rpc.trustStore";
    SparkConf trusting = Networks.tls("s", folder).remove(trustStore);
    assertRefused(trusting, trustStore);
    assertRefused(trusting.set(trustStore, folder.resolve("none").toString()), trustStore);
    assertRefused(
        Networks.tls("s", folder).set("spark.authenticate", "false"), "spark.authenticate=true");
  }

  /** Holds under Spark releases with and without SPARK-56227. */
  @Test
  void gcmIsServedExactlyWhereItWorks() {
    if (GcmProbe.carriesSeveralMessages()) {
      assertDoesNotThrow(() -> Networks.network(Networks.gcm("s")));
    } else {
      String message =
          assertThrows(IllegalArgumentException.class, () -> Networks.network(Networks.gcm("s")))
              .getMessage();
      assertTrue(message.contains("SPARK-56227"), message);
    }
  }

  @Test
  void everyUnsafeSettingIsNamedWithItsCure() {
    assertRefused("spark.network.crypto.cipher", "AES/CTR/NoPadding", "AES/GCM/NoPadding");
    assertRefused("spark.network.crypto.authEngineVersion", "1", "authEngineVersion=2");
    assertRefused("spark.network.crypto.saslFallback", "true", "saslFallback=false");
    assertRefused("spark.authenticate", "false", "spark.authenticate=true");
  }

  @Test
  void encryptionBySaslIsRefused() {
    SparkConf conf =
        Networks.authenticated("s").set("spark.authenticate.enableSaslEncryption", "true");
    assertRefused(conf, "spark.network.crypto.enabled=true");
  }

  private static void assertRefused(String key, String value, String cure) {
    assertRefused(Networks.gcm("s").set(key, value), cure);
  }

  private static void assertRefused(SparkConf conf, String cure) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> Networks.network(conf)).getMessage();
    assertTrue(message.contains(cure), message);
  }
}
