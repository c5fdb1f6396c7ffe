package org.sparkformer.app;

import java.io.PrintWriter;
import java.util.List;
import org.sparkformer.app.command.DatasetCommand;
import org.sparkformer.app.command.DoctorCommand;
import org.sparkformer.app.command.EvaluateCommand;
import org.sparkformer.app.command.GenerateCommand;
import org.sparkformer.app.command.QuickstartCommand;
import org.sparkformer.app.command.ReportCommand;
import org.sparkformer.app.command.TokenizerCommand;
import org.sparkformer.app.command.TrainCommand;
import org.sparkformer.spark.TrainingStoppedException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/**
 * The {@code sparkformer} command. Exit codes: 0 done, 1 failed, 2 bad usage or bad input, 143
 * stopped by SIGTERM, 130 by SIGINT.
 */
@Command(
    name = "sparkformer",
    description = "Pretrains transformers on an Apache Spark cluster.",
    version = "sparkformer 0.1.0",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      DoctorCommand.class,
      QuickstartCommand.class,
      TokenizerCommand.class,
      DatasetCommand.class,
      TrainCommand.class,
      GenerateCommand.class,
      EvaluateCommand.class,
      ReportCommand.class
    },
    footer = {
      "",
      "Start with:",
      "  sparkformer quickstart",
      "  sparkformer train conf/gpt-char.yaml --set data.input=my.txt",
      "'sparkformer test' builds everything and runs the tests, 'sparkformer bench' measures,",
      "'sparkformer tune' fits the kernels to a device.",
      "Every command explains itself: sparkformer COMMAND --help"
    })
public final class Sparkformer implements Runnable {
  private static final int HELP_WIDTH = 100;

  @Spec private CommandSpec spec;

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Print the stack trace of an error, and what Spark logs of it.")
  private boolean debug;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "which command?");
  }

  /** Runs one command line and returns its exit code. */
  public static int execute(String... arguments) {
    CommandLine command = commandLine();
    try {
      return command.execute(arguments);
    } catch (OutOfMemoryError e) {
      command
          .getErr()
          .println(
              "sparkformer: Java has too little memory ("
                  + e.getMessage()
                  + "): give it more, for instance SPARKFORMER_JAVA_OPTS=-Xmx8g");
      return CommandLine.ExitCode.SOFTWARE;
    }
  }

  /** The command, for further subcommands to join: it words their errors too. */
  public static CommandLine commandLine() {
    return new CommandLine(new Sparkformer())
        .setParameterExceptionHandler(Sparkformer::badUsage)
        .setExecutionExceptionHandler(Sparkformer::failed)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpWidth(HELP_WIDTH);
  }

  private static int badUsage(ParameterException error, String[] arguments) {
    CommandLine command = error.getCommandLine();
    PrintWriter out = command.getErr();
    out.println("sparkformer: " + error.getMessage());
    if (!CommandLine.UnmatchedArgumentException.printSuggestions(error, out)) {
      out.println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
    }
    return CommandLine.ExitCode.USAGE;
  }

  private static int failed(Exception error, CommandLine command, ParseResult parsed) {
    boolean debug = command.getCommandSpec().root().optionsMap().get("--debug").getValue();
    if (debug) {
      error.printStackTrace(command.getErr());
    } else if (!(error instanceof TrainingStoppedException)) {
      command.getErr().println("sparkformer: " + ErrorLine.of(error));
    }
    return ErrorLine.isInput(error) ? CommandLine.ExitCode.USAGE : CommandLine.ExitCode.SOFTWARE;
  }

  /** Without {@code --debug} an error is our one line; log4j2.properties reads these. */
  private static void showLogsOfSpark() {
    for (String key : List.of("org.sparkformer.log.level", "org.sparkformer.log.failures")) {
      if (System.getProperty(key) == null) {
        System.setProperty(key, "ERROR");
      }
    }
  }

  public static void main(String[] arguments) {
    // Before anything logs: the levels are read once.
    if (List.of(arguments).contains("--debug")) {
      showLogsOfSpark();
    }
    int code = execute(arguments);
    if (code != 0 || !inApplicationMaster()) {
      System.exit(code);
    }
  }

  /**
   * On YARN in cluster mode this runs in the application master, which takes any exit before the
   * end of this method for a failure, and starts the application again.
   */
  private static boolean inApplicationMaster() {
    return System.getProperty("spark.yarn.app.id") != null;
  }
}
