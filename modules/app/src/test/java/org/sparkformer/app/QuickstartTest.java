package org.sparkformer.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class QuickstartTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter error = new StringWriter();

  @Test
  void theRunsFolderMayLieOnAnyHadoopFileSystemAndHoldCommas(@TempDir Path folder)
      throws Exception {
    Path run = folder.resolve("a,b");
    String uri = ElsewhereFileSystem.SCHEME + "://" + run;
    assertEquals(0, quickstart(uri), error::toString);
    for (String name : new String[] {"definitions.txt", "dataset", "run.json", "samples.jsonl"}) {
      assertTrue(Files.exists(run.resolve(name)), name);
    }
    assertEquals(6, Files.readAllLines(run.resolve("samples.jsonl")).size());
    assertTrue(Files.notExists(Path.of(ElsewhereFileSystem.SCHEME + ":")));
    assertTrue(out.toString().contains("generate " + uri), out.toString());
  }

  private int quickstart(String folder) {
    CommandLine command = Sparkformer.commandLine();
    command.setOut(new PrintWriter(out)).setErr(new PrintWriter(error));
    return command.execute(
        "quickstart",
        "--out=" + folder,
        "--set=data.tokenizer=char",
        "--set=model.layers=1",
        "--set=model.vocab_size=91",
        "--set=training.steps=2",
        "--set=training.eval_batches=1");
  }
}
