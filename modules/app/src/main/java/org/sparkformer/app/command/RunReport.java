package org.sparkformer.app.command;

import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Path;
import org.sparkformer.app.InputException;
import org.sparkformer.app.report.Report;

/** The report at the end of a run, where the run's folder is on this machine. */
final class RunReport {
  private RunReport() {}

  static void write(String folder, PrintWriter out) throws InputException {
    String scheme =
        folder.matches("[a-zA-Z][a-zA-Z0-9+.-]+:.*") ? URI.create(folder).getScheme() : "file";
    if (!scheme.equals("file")) {
      out.println(
          "report          copy " + folder + " to this machine, then: sparkformer report DIR");
      return;
    }
    Path local =
        folder.startsWith("file:") ? Path.of(URI.create(folder).getPath()) : Path.of(folder);
    Path file = local.resolve("report.html");
    Report.write(local, file);
    out.println("report          " + file);
  }
}
