package org.sparkformer.app.report;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.sparkformer.app.InputException;

/** One run as one HTML file, with its charts, that needs nothing else: no server, no network. */
public final class Report {
  private static final Pattern PLACE = Pattern.compile("\\{\\{([a-z-]+)}}");

  private Report() {}

  /**
   * Writes the report of the run in {@code folder}.
   *
   * @throws InputException when the folder holds no readable metrics
   */
  public static void write(Path folder, Path file) throws InputException {
    String page = render(RunHistory.read(folder));
    try {
      if (file.toAbsolutePath().getParent() != null) {
        Files.createDirectories(file.toAbsolutePath().getParent());
      }
      Files.writeString(file, page);
    } catch (IOException failed) {
      throw new InputException("cannot write the report " + file + ": " + failed, failed);
    }
  }

  static String render(RunHistory history) {
    ReportData data = new ReportData(history);
    ObjectNode json = data.build();
    Map<String, String> parts =
        Map.of(
            "title", escape(data.title()),
            "uplot-style", resource("uplot/uPlot.min.css"),
            "style", resource("report.css"),
            // A script element ends at the first "</": text from the run must not hold one.
            "data", json.toString().replace("</", "<\\/").replace("<!--", "<\\u0021--"),
            "uplot-script", resource("uplot/uPlot.iife.min.js"),
            "script", resource("report.js"));
    return PLACE
        .matcher(resource("report.html"))
        .replaceAll(place -> Matcher.quoteReplacement(parts.get(place.group(1))));
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }

  private static String resource(String name) {
    try (InputStream stream = Report.class.getResourceAsStream(name)) {
      if (stream == null) {
        throw new IllegalStateException("the jar lacks its own resource " + name);
      }
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException broken) {
      throw new java.io.UncheckedIOException("cannot read the jar's resource " + name, broken);
    }
  }
}
