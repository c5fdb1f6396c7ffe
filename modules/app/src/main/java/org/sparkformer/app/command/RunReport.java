package org.sparkformer.app.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.sparkformer.app.InputException;
import org.sparkformer.app.report.Report;
import org.sparkformer.spark.Cluster;
import org.sparkformer.training.RunFolder;

/** The report at the end of a run, where the run's folder is on this machine. */
final class RunReport {
  private RunReport() {}

  static void write(String folder, PrintWriter out) throws IOException, InputException {
    RunFolder run = RunFolder.of(Cluster.givenHadoop(), folder);
    if (!run.fileSystem().getUri().getScheme().equals("file")) {
      out.println(
          "report          copy " + folder + " to this machine, then: sparkformer report DIR");
      return;
    }
    Path local = Path.of(run.path().toUri().getPath());
    Path file = local.resolve("report.html");
    Report.write(local, file);
    out.println("report          " + file);
  }
}
