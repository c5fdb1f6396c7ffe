package org.sparkformer.app.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.app.InputException;

class ReportTest {
  @TempDir private Path folder;

  @Test
  void asksForAFolderWithMetrics() {
    InputException error =
        assertThrows(
            InputException.class, () -> Report.write(folder, folder.resolve("report.html")));
    assertEquals(
        "no metrics.jsonl in " + folder + ": give the output folder of a training run",
        error.getMessage());
  }

  @Test
  void needsNothingFromTheNetwork() throws Exception {
    SampleRun.write(folder);
    String page = render();
    assertFalse(page.matches("(?s).*(src|href)=\"(?!data:).*"), "links to something outside");
    assertFalse(page.contains("{{"), "a place was not filled");
  }

  @Test
  void textOfTheRunCannotEndItsScript() throws Exception {
    SampleRun.write(folder);
    Files.writeString(
        folder.resolve("samples.jsonl"), "{\"step\":1,\"text\":\"</script><h1>oops<!--\"}\n");
    String page = render();
    assertFalse(page.contains("</script><h1>"));
    assertTrue(page.contains("<\\/script><h1>oops<\\u0021--"));
  }

  @Test
  void aStepThatWasRepeatedCountsOnce() throws Exception {
    Files.writeString(
        folder.resolve("metrics.jsonl"),
        "{\"step\":1,\"loss\":4}\n{\"step\":2,\"loss\":3}\n{\"step\":2,\"loss\":2.5}\n{\"step\":3,\"lo");
    RunHistory history = RunHistory.read(folder);
    assertEquals(2, history.steps().size());
    assertEquals(2.5, history.steps().get(1).get("loss").asDouble());
  }

  @Test
  void aBrokenLineInTheMiddleIsAnError() throws Exception {
    Files.writeString(folder.resolve("metrics.jsonl"), "{\"step\":1}\nnonsense\n{\"step\":2}\n");
    InputException error = assertThrows(InputException.class, () -> RunHistory.read(folder));
    assertTrue(error.getMessage().contains("metrics.jsonl:2: "), error.getMessage());
  }

  @Test
  void longRunsAreThinnedAndSaySo() throws Exception {
    StringBuilder lines = new StringBuilder();
    for (int step = 1; step <= 3 * ReportData.MOST_POINTS; step++) {
      lines.append("{\"step\":").append(step).append(",\"loss\":1.0}\n");
    }
    Files.writeString(folder.resolve("metrics.jsonl"), lines);
    var data = new ReportData(RunHistory.read(folder)).build();
    assertEquals(ReportData.MOST_POINTS, data.at("/steps/step").size());
    assertEquals("Charts show 4000 of 12000 logged steps.", data.get("thinned").asText());
  }

  @Test
  void aLossThatIsNotANumberLeavesAGap() throws Exception {
    Files.writeString(folder.resolve("metrics.jsonl"), "{\"step\":1,\"loss\":\"NaN\"}\n");
    assertTrue(new ReportData(RunHistory.read(folder)).build().at("/steps/loss/0").isNull());
  }

  @Test
  void ofSeveralRanksTheSlowestTheMedianAndTheFastestAreShown() throws Exception {
    Files.writeString(
        folder.resolve("metrics.jsonl"),
        """
        {"step":1,"rank_step_ms":[7]}
        {"step":2,"rank_step_ms":[9,4]}
        {"step":3,"rank_step_ms":[8,2,5]}
        """);
    var ranks = new ReportData(RunHistory.read(folder)).build().get("ranks");
    assertEquals("[null,9.0,8.0]", ranks.get("slowest").toString());
    assertEquals("[null,6.5,5.0]", ranks.get("median").toString());
    assertEquals("[null,4.0,2.0]", ranks.get("fastest").toString());
  }

  private String render() throws InputException {
    return Report.render(RunHistory.read(folder));
  }
}
