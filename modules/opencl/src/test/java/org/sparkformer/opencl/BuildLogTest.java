package org.sparkformer.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class BuildLogTest {
  private static final String MORE = " ... (--debug shows the whole log)";

  @Test
  void aShortLogIsTakenWhole() {
    assertEquals(
        "a.cl:1:2: error: no such type | 1 error generated.",
        new BuildLog("a.cl:1:2: error: no such type\n\n  1 error generated.\n").excerpt());
  }

  @Test
  void beginsWithTheFirstErrorAndTakesThreeLines() {
    String log = "warning: w\nError: one\nat 2\nat 3\nat 4\n";
    assertEquals("Error: one | at 2 | at 3" + MORE, new BuildLog(log).excerpt());
  }

  @Test
  void aLogWithoutErrorsBeginsAtItsTop() {
    assertEquals("one | two", new BuildLog("one\ntwo").excerpt());
    assertEquals("the compiler left no log", new BuildLog(" \n").excerpt());
  }

  @Test
  void endlessLinesAreCut() {
    String excerpt = new BuildLog("error: " + "x".repeat(100_000)).excerpt();
    assertEquals(400 + MORE.length(), excerpt.length());
    assertTrue(excerpt.endsWith(MORE), excerpt);
  }
}
