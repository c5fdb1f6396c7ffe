package org.sparkformer.spark.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.collective.CollectiveException;
import org.sparkformer.collective.Transport;
import org.sparkformer.testkit.LoggedProcess;

/** Who is refused before any payload, and with which words. */
final class RefusedCallersTest {
  private static final String RUN = "transport-test";
  private static final String PAYLOAD = "gradients";
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final int REFUSED = 3;

  /** The first byte of a TLS connection. */
  private static final char TLS_HANDSHAKE = 0x16;

  @TempDir Path folder;

  @Test
  void aCallerWithoutTheSecretIsRefused() throws Exception {
    for (SparkConf host : List.of(Networks.authenticated("right"), Networks.tls("right", folder))) {
      assertRefused(host, Networks.authenticated("wrong"), RUN, 0, "cannot connect to rank 0");
      assertRefused(host, Networks.plain(), RUN, 0, "cannot connect to rank 0");
    }
  }

  /** Whoever demands more is not served less, whichever side it is. */
  @Test
  void noSideIsTalkedDownToPlainText() throws Exception {
    String refusal = "cannot connect to rank 0";
    assertRefused(Networks.tls("right", folder), Networks.authenticated("right"), RUN, 0, refusal);
    assertRefused(Networks.authenticated("right"), Networks.tls("right", folder), RUN, 0, refusal);
    assertRefused(Networks.plain(), Networks.authenticated("right"), RUN, 0, refusal);
    assertRefused(Networks.plain(), Networks.tls("right", folder), RUN, 0, refusal);
  }

  /** Another application of the cluster has another secret; with the same one, another run. */
  @Test
  void anotherApplicationIsRefused() {
    assertRefused(
        Networks.authenticated("right"),
        Networks.authenticated("another application's"),
        RUN,
        0,
        "cannot connect to rank 0");
    assertRefused(
        Networks.authenticated("right"),
        Networks.authenticated("right"),
        "another run",
        0,
        "this is another run than that of Hello[runId=another run");
  }

  @Test
  void aCallerOfAnotherRunOrAttemptIsRefused() {
    assertRefused(
        Networks.plain(), Networks.plain(), RUN, 1, "this is attempt 0 of the run, not that of");
    assertRefused(
        Networks.plain(), Networks.plain(), "other", 0, "this is another run than that of");
  }

  /** Before the others are known: what such a caller sends would wait for nobody. */
  @Test
  void aCallerWithARankThatTheGangDoesNotHaveIsRefused() {
    SparkNetwork network = Networks.network(Networks.authenticated("right"));
    try (RankServer zero = SparkTransport.listen(network, RUN, 0, 2);
        RankServer third = SparkTransport.listen(network, RUN, 0, 3)) {
      List<String> addresses = List.of(zero.address(), "localhost:1", third.address());
      String message =
          assertThrows(
                  CollectiveException.class,
                  () -> third.connect(addresses, 2, Duration.ofSeconds(5)))
              .getMessage();
      assertTrue(message.contains("there is no rank 2 among the 2 of this run"), message);
    }
  }

  /**
   * The caller is a process, which tells the words with which it was refused; nothing of what it
   * says, then or afterwards, is handed on, and its place stays free.
   */
  @ParameterizedTest
  @CsvSource({
    "false, '', transport-test, cannot connect to rank 0",
    "false, wrong, transport-test, cannot connect to rank 0",
    "true, right, transport-test, cannot connect to rank 0",
    "false, right, another run, this is another run than that of"
  })
  void anotherProcessIsRefused(boolean tls, String secret, String run, String expected)
      throws Exception {
    SparkConf conf = tls ? Networks.tls("right", folder) : Networks.authenticated("right");
    try (Host host = new Host(conf)) {
      String words = Caller.wordsOf(host.zero.address(), secret, run);
      assertTrue(words.contains(expected), words);
      assertEquals(0, host.bytes.get());
      host.letThePeerSpeak();
      assertEquals(PAYLOAD.length(), host.bytes.get());
    }
  }

  /** Rank 0, which waits for rank 1 and counts what is handed on to it. */
  private static final class Host implements Transport.Receiver, AutoCloseable {
    private final RankServer zero;
    private final RankServer one;
    private final CompletableFuture<Void> connected;
    private final AtomicLong bytes = new AtomicLong();
    private final CountDownLatch heard = new CountDownLatch(1);

    Host(SparkConf conf) {
      zero = SparkTransport.listen(Networks.network(conf), RUN, 0, 2);
      one = SparkTransport.listen(Networks.network(conf), RUN, 0, 2);
      connected = CompletableFuture.runAsync(() -> zero.connect(addresses(), 0, LONG).start(this));
    }

    private List<String> addresses() {
      return List.of(zero.address(), one.address());
    }

    /** The one whose place the callers were after. */
    void letThePeerSpeak() throws Exception {
      ByteBuffer payload = ByteBuffer.wrap(PAYLOAD.getBytes(StandardCharsets.UTF_8));
      one.connect(addresses(), 1, LONG).send(0, payload, () -> {});
      connected.get(LONG.toSeconds(), TimeUnit.SECONDS);
      assertTrue(heard.await(LONG.toSeconds(), TimeUnit.SECONDS));
    }

    @Override
    public Optional<ByteBuffer> memory(int peer, int length) {
      bytes.addAndGet(length);
      return Optional.of(ByteBuffer.allocate(length));
    }

    @Override
    public void received(int peer, ByteBuffer frame) {
      heard.countDown();
    }

    @Override
    public void lost(int peer, String reason) {}

    @Override
    public void close() {
      one.close();
      zero.close();
    }
  }

  /** Calls rank 0 and prints how that failed; then says all the same what a rank 1 says. */
  static final class Caller {
    private Caller() {}

    static String wordsOf(String... arguments) throws Exception {
      Process process = java(Caller.class, arguments);
      String words = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(REFUSED, process.waitFor(), words);
      return words;
    }

    public static void main(String[] arguments) throws IOException {
      String secret = arguments[1];
      SparkConf conf = secret.isEmpty() ? Networks.plain() : Networks.authenticated(secret);
      try (RankServer one = SparkTransport.listen(Networks.network(conf), arguments[2], 0, 2)) {
        one.connect(List.of(arguments[0], one.address()), 1, Duration.ofSeconds(5));
      } catch (CollectiveException refused) {
        System.out.println(refused.getMessage());
        insist(arguments[0]);
        System.exit(REFUSED);
      }
    }

    private static void insist(String address) throws IOException {
      try (Socket socket = new Socket(Addresses.host(address), Addresses.port(address))) {
        socket.setSoTimeout(2000);
        OutputStream out = socket.getOutputStream();
        out.write(SparkFrames.request(new Hello(RUN, 0, 1, 0).encode().array()));
        for (int i = 0; i < 100; i++) {
          out.write(SparkFrames.frame(i, PAYLOAD.getBytes(StandardCharsets.UTF_8)));
        }
        socket.getInputStream().readAllBytes();
      } catch (SocketException | SocketTimeoutException hungUp) {
        System.out.println("hung up on: " + hungUp.getMessage());
      }
    }
  }

  /** In the place of rank 0, a process agrees to all, in plain text. */
  @Test
  void whoDemandsMoreThanPlainTextTellsNothingToACalleeThatAnswersInIt() throws Exception {
    try (Answerer answerer = Answerer.start("")) {
      assertTrue(answerer.heardFrom(Networks.plain()).contains(RUN));
      String greeted = answerer.heardFrom(Networks.authenticated("right"));
      assertFalse(greeted.isEmpty());
      assertFalse(greeted.contains(RUN), greeted);
      String encrypted = answerer.heardFrom(Networks.tls("right", folder));
      assertEquals(TLS_HANDSHAKE, encrypted.charAt(0));
      assertFalse(encrypted.contains(RUN), encrypted);
    }
  }

  /** Who is called greets nobody: the refusal would name the run. */
  @Test
  void whoDemandsMoreThanPlainTextTellsNothingToACalleeThatGreetsIt() throws Exception {
    try (Answerer answerer = Answerer.start("greets")) {
      String greeted = answerer.heardFrom(Networks.authenticated("right"));
      assertFalse(greeted.contains(RUN), greeted);
    }
  }

  /** Answers whatever it is asked with an empty success, and prints what it has heard. */
  static final class Answerer implements AutoCloseable {
    private final Process process;
    private final BufferedReader output;

    private Answerer(Process process) {
      this.process = process;
      this.output =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII));
    }

    /**
     * @param greets if not empty it greets its callers first
     */
    static Answerer start(String greets) throws IOException {
      return new Answerer(java(Answerer.class, greets));
    }

    /** What one caller said that takes it for rank 0; a character a byte. */
    String heardFrom(SparkConf guest) throws IOException {
      String address = "localhost:" + word("port ");
      try (RankServer one = SparkTransport.listen(Networks.network(guest), RUN, 0, 2)) {
        List<String> addresses = List.of(address, one.address());
        one.connect(addresses, 1, Duration.ofSeconds(5));
        assertEquals(0, guest.getAll().length, "connected, though it demands more");
      } catch (CollectiveException refused) {
        assertTrue(refused.getMessage().contains("cannot connect to rank 0"), refused.toString());
      }
      return new String(Base64.getDecoder().decode(word("heard ")), StandardCharsets.ISO_8859_1);
    }

    private String word(String start) throws IOException {
      String line = output.readLine();
      while (line != null && !line.startsWith(start)) {
        line = output.readLine();
      }
      assertNotNull(line, "the process ended");
      return line.substring(start.length());
    }

    @Override
    public void close() {
      process.destroyForcibly();
    }

    public static void main(String[] arguments) throws IOException {
      try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getByName("localhost"))) {
        while (true) {
          System.out.println("port " + server.getLocalPort());
          try (Socket caller = server.accept()) {
            byte[] heard = answer(caller, !arguments[0].isEmpty());
            System.out.println("heard " + Base64.getEncoder().encodeToString(heard));
          }
        }
      }
    }

    private static byte[] answer(Socket caller, boolean greets) throws IOException {
      ByteArrayOutputStream heard = new ByteArrayOutputStream();
      caller.setSoTimeout(10_000);
      byte[] part = new byte[1 << 16];
      try {
        if (greets) {
          byte[] greeting = new Hello("another", 0, 0, 0).encode().array();
          caller.getOutputStream().write(SparkFrames.request(greeting));
        }
        for (int read = caller.getInputStream().read(part);
            read >= 0;
            read = caller.getInputStream().read(part)) {
          heard.write(part, 0, read);
          caller.getOutputStream().write(SparkFrames.success(part));
        }
      } catch (SocketException | SocketTimeoutException over) {
        return heard.toByteArray();
      }
      return heard.toByteArray();
    }
  }

  private static Process java(Class<?> main, String... arguments) throws IOException {
    List<String> command = LoggedProcess.java(List.of(), main, List.of(arguments));
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }

  private static void assertRefused(
      SparkConf host, SparkConf guest, String run, int attempt, String expected) {
    try (RankServer zero = SparkTransport.listen(Networks.network(host), RUN, 0, 2);
        RankServer one = SparkTransport.listen(Networks.network(guest), run, attempt, 2)) {
      List<String> addresses = List.of(zero.address(), one.address());
      String message =
          assertThrows(
                  CollectiveException.class, () -> one.connect(addresses, 1, Duration.ofSeconds(5)))
              .getMessage();
      assertTrue(message.contains(expected), message);
      assertTrue(run.equals(RUN) || !message.contains(RUN), message);
    }
  }
}
