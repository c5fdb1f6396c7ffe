package org.sparkformer.app.command;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.sparkformer.app.InputException;
import org.sparkformer.app.report.Report;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sparkformer report DIR}. */
@Command(
    name = "report",
    description = "Writes a run's charts, figures and samples as one HTML file.",
    mixinStandardHelpOptions = true,
    footer = {"", "Works while the run is still going; the file needs no network to be read."})
public final class ReportCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "DIR", description = "Output folder of a training run, on this machine.")
  private Path folder;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "Where to write (default: DIR/report.html).")
  private Path file;

  @Override
  public Integer call() throws InputException {
    Path target = file == null ? folder.resolve("report.html") : file;
    Report.write(folder, target);
    spec.commandLine().getOut().println("report: " + target);
    return 0;
  }
}
