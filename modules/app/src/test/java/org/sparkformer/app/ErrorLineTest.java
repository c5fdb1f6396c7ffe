package org.sparkformer.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.Test;

class ErrorLineTest {
  @Test
  void saysWhatTheExceptionsOfJavasFilesLeaveOut() {
    assertEquals("no such file: /a/b", ErrorLine.of(new NoSuchFileException("/a/b")));
    assertEquals(
        "/a: holds no weights",
        ErrorLine.of(new NoSuchFileException("/a", null, "holds no weights")));
    assertEquals("permission denied: /a/b", ErrorLine.of(new AccessDeniedException("/a/b")));
    assertTrue(ErrorLine.isInput(new AccessDeniedException("/a/b")));
  }

  @Test
  void aFullDiskIsNoFaultOfTheInputAndSaysWhatToDo() {
    IOException full = new IOException("No space left on device");
    assertEquals("No space left on device: make room or give another folder", ErrorLine.of(full));
    assertFalse(ErrorLine.isInput(full));
  }

  @Test
  void anyOtherExceptionIsNamedWithHowToSeeMore() {
    assertEquals(
        "IOException: torn (--debug shows where)", ErrorLine.of(new IOException("torn\nin two")));
  }
}
