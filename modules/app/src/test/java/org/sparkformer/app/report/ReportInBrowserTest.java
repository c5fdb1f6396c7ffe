package org.sparkformer.app.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The report in a real browser: its script runs, and the charts are drawn. */
class ReportInBrowserTest {
  private static final List<String> NAMES =
      List.of("chromium", "chromium-browser", "google-chrome");

  @TempDir private Path folder;
  private String browser;

  @BeforeEach
  void findBrowser() {
    Optional<String> found = NAMES.stream().flatMap(ReportInBrowserTest::onPath).findFirst();
    if (found.isEmpty() && "true".equals(System.getenv("CI"))) {
      fail("CI must test the report in a browser, but none of " + NAMES + " is on the PATH");
    }
    assumeTrue(found.isPresent(), "skipped: none of " + NAMES + " is on the PATH");
    browser = found.orElseThrow();
  }

  @Test
  void drawsEveryChartOfARun() throws Exception {
    SampleRun.write(folder);
    String page = open();
    assertTrue(page.contains("data-ready=\"6\""), "six charts are drawn");
    assertTrue(page.contains(">2.7066<"), "the validation loss is shown");
    assertTrue(page.contains("courage:"), "samples are shown");
    assertTrue(page.contains("vocab_size: 2048"), "the configuration is shown");
    assertTrue(page.contains(">BERT · 4 layers"), "the architecture is named");
    assertTrue(page.contains(">milliseconds, peaks cut off<"), "the first step does not flatten");
    assertTrue(page.contains(" without waiting for others, peaks cut off<"), "nor the ranks");
    assertFalse(page.contains("<b>\"</p>"), "markup in a sample stays text");
  }

  @Test
  void drawsARunThatHasOnlyBegun() throws Exception {
    Files.writeString(folder.resolve("metrics.jsonl"), "{\"step\":1,\"loss\":4.17}\n");
    String page = open();
    assertTrue(page.contains("data-ready=\"1\""), "the loss alone is drawn");
    assertTrue(page.contains("This run has not ended yet."));
  }

  private String open() throws Exception {
    Path report = folder.resolve("report.html");
    Report.write(folder, report);
    Path dump = folder.resolve("dom.html");
    Process process =
        new ProcessBuilder(
                browser,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--user-data-dir=" + folder.resolve("profile"),
                "--virtual-time-budget=4000",
                "--dump-dom",
                report.toUri().toString())
            .redirectError(folder.resolve("browser.log").toFile())
            .redirectOutput(dump.toFile())
            .start();
    assertTrue(process.waitFor(120, TimeUnit.SECONDS), "the browser answers within two minutes");
    assertEquals(0, process.exitValue(), () -> "see " + folder.resolve("browser.log"));
    return Files.readString(dump);
  }

  private static Stream<String> onPath(String name) {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .map(folder -> Path.of(folder, name))
        .filter(Files::isExecutable)
        .map(Path::toString);
  }
}
