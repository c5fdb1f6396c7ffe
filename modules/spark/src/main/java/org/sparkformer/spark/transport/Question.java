package org.sparkformer.spark.transport;

import java.nio.ByteBuffer;
import java.time.Duration;
import org.apache.spark.network.client.TransportClient;

/** What is asked over a connection, whose answer this thread waits for. */
final class Question {
  private Question() {}

  /**
   * As {@code sendRpcSync}, which wraps an interrupt and forgets it: here it stays visible.
   *
   * @param longest how long the answer may take
   * @throws RuntimeException when the callee refuses, is gone or does not answer in time, or when
   *     this thread is interrupted
   */
  static ByteBuffer ask(TransportClient client, ByteBuffer message, Duration longest) {
    try {
      return client.sendRpcSync(message, longest.toMillis());
    } catch (RuntimeException unanswered) {
      if (unanswered.getCause() instanceof InterruptedException) {
        Thread.currentThread().interrupt();
      }
      throw unanswered;
    }
  }
}
