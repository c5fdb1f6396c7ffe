package org.sparkformer.spark.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DriverLinkTest {
  private static final String RUN = "link-test";

  @TempDir Path folder;

  @Test
  void linesArriveInOrderAndAllBeforeCloseReturns() throws Exception {
    for (SparkNetwork network :
        List.of(
            Networks.network(Networks.plain()), Networks.network(Networks.tls("secret", folder)))) {
      List<String> heard = Collections.synchronizedList(new ArrayList<>());
      try (DriverLink link =
          DriverLink.listen(network, RUN, (rank, line) -> heard.add(rank + line))) {
        link.admit(0);
        try (DriverClient client = DriverClient.connect(network, link.address(), RUN, 0, 3)) {
          IntStream.range(0, 20_000).forEach(i -> client.send("{\"α\":" + i + "}"));
        }
        assertEquals(
            IntStream.range(0, 20_000).mapToObj(i -> "3{\"α\":" + i + "}").toList(), heard);
      }
    }
  }

  @Test
  void anOlderAttemptFallsSilentWhenANewerIsAdmitted() throws IOException {
    SparkNetwork network = Networks.network(Networks.plain());
    List<String> heard = Collections.synchronizedList(new ArrayList<>());
    try (DriverLink link = DriverLink.listen(network, RUN, (rank, line) -> heard.add(line))) {
      link.admit(0);
      try (DriverClient old = DriverClient.connect(network, link.address(), RUN, 0, 0)) {
        old.send("first");
        old.requireAdmitted();
        assertThrows(
            IOException.class, () -> DriverClient.connect(network, link.address(), RUN, 1, 0));
        old.requireAdmitted();
        link.admit(1);
        assertThrows(IOException.class, old::requireAdmitted);
        assertThrows(
            UncheckedIOException.class,
            () -> {
              while (!Thread.interrupted()) {
                old.send("ghost");
              }
            });
        try (DriverClient current = DriverClient.connect(network, link.address(), RUN, 1, 0)) {
          current.send("alive");
        }
      }
      assertEquals(List.of("first", "alive"), heard);
      IOException refused =
          assertThrows(
              IOException.class, () -> DriverClient.connect(network, link.address(), RUN, 0, 0));
      assertTrue(refused.getMessage().contains("attempt 1"), refused.getMessage());
    }
  }

  @Test
  void aRankThatAsksAndNeverReadsIsHungUpOn() throws Exception {
    SparkNetwork network = Networks.network(Networks.plain());
    try (DriverLink link = DriverLink.listen(network, RUN, (rank, line) -> {})) {
      link.admit(0);
      try (Socket rank = new Socket("localhost", Addresses.port(link.address()))) {
        byte[] greeting = SparkFrames.request(new Hello(RUN, 0, 0, 0).encode().array());
        rank.getOutputStream().write(greeting);
        byte[] question = SparkFrames.request(new byte[0]);
        ByteBuffer questions = ByteBuffer.allocate(1000 * question.length);
        while (questions.hasRemaining()) {
          questions.put(question);
        }
        HostileCallers.requireHungUp(rank, questions.array());
      }
    }
  }

  @Test
  void aCallerWithoutTheSecretOrInPlainTextIsNotHeard() throws Exception {
    List<String> heard = Collections.synchronizedList(new ArrayList<>());
    for (SparkConf host : List.of(Networks.authenticated("right"), Networks.tls("right", folder))) {
      try (DriverLink link =
          DriverLink.listen(Networks.network(host), RUN, (rank, line) -> heard.add(line))) {
        link.admit(0);
        for (SparkConf guest : List.of(Networks.authenticated("wrong"), Networks.plain())) {
          assertThrows(
              IOException.class,
              () ->
                  DriverClient.connect(Networks.network(guest), link.address(), RUN, 0, 0).close());
        }
      }
    }
    assertEquals(List.of(), heard);
  }

  /** The driver is busy with a line, and answers once it has been let go on. */
  @Test
  void anInterruptOfARankThatWaitsForTheDriverStaysVisible() throws Exception {
    SparkNetwork network = Networks.network(Networks.plain());
    CountDownLatch goOn = new CountDownLatch(1);
    try (DriverLink link = DriverLink.listen(network, RUN, (rank, line) -> await(goOn))) {
      link.admit(0);
      try (DriverClient client = DriverClient.connect(network, link.address(), RUN, 0, 0)) {
        client.send("busy");
        Thread.currentThread().interrupt();
        assertThrows(IOException.class, client::requireAdmitted);
        goOn.countDown();
        assertTrue(Thread.interrupted());
      }
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException interrupted) {
      throw new IllegalStateException(interrupted);
    }
  }

  @Test
  void aRankHearsThatTheDriverIsGone() throws Exception {
    SparkNetwork network = Networks.network(Networks.plain());
    DriverLink link = DriverLink.listen(network, RUN, (rank, line) -> {});
    link.admit(0);
    try (DriverClient client = DriverClient.connect(network, link.address(), RUN, 0, 0)) {
      link.close();
      assertThrows(
          UncheckedIOException.class,
          () -> {
            while (!Thread.interrupted()) {
              client.send("anyone?");
            }
          });
    }
  }
}
