package org.sparkformer.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.OutputStream;
import org.junit.jupiter.api.Test;

class OutputStreamsTest {
  private final IOException lost = new IOException("the file is gone");
  private int closed;

  /** As HDFS's: once it has failed it says so again. */
  private OutputStream failing(IOException atClose) {
    return new OutputStream() {
      @Override
      public void write(int b) throws IOException {
        throw lost;
      }

      @Override
      public void close() throws IOException {
        closed++;
        throw atClose;
      }
    };
  }

  @Test
  void whatAWriteFailedWithIsThrownWhereCloseThrowsItAgain() {
    OutputStream stream = failing(lost);
    assertSame(lost, failureOf(stream));
    assertEquals(1, closed);
  }

  @Test
  void anotherFailureOfCloseIsKeptBesideIt() {
    IOException other = new IOException("and the connection");
    assertArrayEquals(new Throwable[] {other}, failureOf(failing(other)).getSuppressed());
  }

  @Test
  void aFailureOfCloseAloneIsThrown() {
    OutputStream stream = failing(lost);
    assertSame(
        lost, assertThrows(IOException.class, () -> OutputStreams.writeAndClose(stream, s -> {})));
  }

  private static IOException failureOf(OutputStream stream) {
    return assertThrows(
        IOException.class, () -> OutputStreams.writeAndClose(stream, each -> each.write(1)));
  }
}
