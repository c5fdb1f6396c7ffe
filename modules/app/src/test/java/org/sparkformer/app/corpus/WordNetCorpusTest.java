package org.sparkformer.app.corpus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.training.RunFolder;

class WordNetCorpusTest {
  @Test
  void takesTheFirstWordAndTheGloss() {
    assertEquals(
        Optional.of("safety blitz: (American football) defensive players try"),
        WordNetCorpus.definition(
            "00978171 04 n 03 safety_blitz 0 linebacker_blitzing 0 blitz 2 001 @ 00557350 n 0000 |"
                + " (American football)  defensive players try  "));
  }

  @Test
  void dropsTheSyntacticMarkerOfAnAdjective() {
    assertEquals(
        Optional.of("galore: in great numbers"),
        WordNetCorpus.definition("00014358 00 s 01 galore(ip) 0 000 | in great numbers"));
  }

  @Test
  void skipsTheLicence() {
    assertEquals(Optional.empty(), WordNetCorpus.definition("  1 This software | and database"));
  }

  @Test
  void holdsEveryDefinitionOnce() {
    Set<String> lines = WordNetCorpus.lines();
    assertTrue(lines.size() > 117_000, "definitions: " + lines.size());
    assertTrue(lines.stream().allMatch(line -> line.contains(": ") && !line.contains("|")));
    assertTrue(
        lines.contains(
            "entity: that which is perceived or known or inferred to have its own"
                + " distinct existence (living or nonliving)"));
  }

  @Test
  void leavesNoPartOfAFileBehind(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("corpus/definitions.txt");
    WordNetCorpus.writeTo(
        RunFolder.of(new Configuration(), file.getParent().toString()), "definitions.txt");
    assertEquals(WordNetCorpus.lines().size(), Files.readAllLines(file).size());
    try (var files = Files.list(file.getParent())) {
      assertEquals(1, files.count());
    }
  }
}
