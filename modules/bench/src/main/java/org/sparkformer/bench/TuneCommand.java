package org.sparkformer.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.sparkformer.app.InputException;
import org.sparkformer.app.Sparkformer;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.OpenClException;
import org.sparkformer.opencl.OpenClOptions;
import org.sparkformer.opencl.TunedValues;
import org.sparkformer.opencl.TuningSpace;
import org.sparkformer.opencl.TuningSpace.Tunable;
import org.sparkformer.training.configuration.Precision;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The {@code sparkformer tune} command. */
@Command(
    name = "tune",
    description = {
      "Searches the kernels' settings on a device: every candidate is first held to the operation's"
          + " definition, then takes turns with the best so far. What wins is written to a file"
          + " that training reads from then on; 'sparkformer doctor' names it.",
      "Takes minutes; best on a machine with nothing else to do."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  sparkformer tune",
      "  sparkformer tune --only matmul --model char-6x384 --gain 5"
    })
public final class TuneCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(names = "--device", defaultValue = "auto", description = "As for train.")
  private String device;

  @Option(
      names = "--only",
      defaultValue = "",
      paramLabel = "FILE",
      description = "Kernel files whose name contains this.")
  private String only;

  @Option(
      names = "--model",
      defaultValue = "gpt2-124m",
      description =
          "Shapes to time: models whose name contains this, of gpt2-124m, long-1024, bert-base,"
              + " char-6x384, char-4x128 (default: ${DEFAULT-VALUE}).")
  private String model;

  @Option(
      names = "--precision",
      defaultValue = "FP32",
      description =
          "As training.precision: what products take their operands as, and a step keeps of what"
              + " they, attention and GELU read: ${COMPLETION-CANDIDATES}.")
  private Precision precision;

  @Option(
      names = "--gain",
      defaultValue = "2",
      paramLabel = "PERCENT",
      description = "Least saving of time for a change (default: ${DEFAULT-VALUE}).")
  private double gain;

  @Option(
      names = "--rounding",
      description =
          "Also try settings that change the order of sums, and so the last bits of results: all"
              + " hosts of a run then need the same file.")
  private boolean rounding;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description =
          "Where the winners go, beside those of other devices (default: SPARKFORMER_TUNED, else"
              + " tuned.json in SPARKFORMER_CACHE or ~/.cache/sparkformer).")
  private Path out;

  public static void main(String[] arguments) {
    CommandLine command = Sparkformer.commandLine().addSubcommand(new TuneCommand());
    command.setCaseInsensitiveEnumValuesAllowed(true);
    System.exit(
        command.execute(
            Stream.concat(Stream.of("tune"), Stream.of(arguments)).toArray(String[]::new)));
  }

  @Override
  public Integer call() throws InputException, IOException {
    List<ModelShape> models =
        ModelShape.ALL.stream().filter(shape -> shape.name().contains(model)).toList();
    if (models.isEmpty()) {
      throw new InputException("--model: no shape's name contains '" + model + "'");
    }
    Path file = out == null ? OpenClOptions.defaults().tuned() : out;
    try (OpenClBackend backend = OpenClBackend.open(new DeviceSelector(device))) {
      progress().device(backend.device());
      TuningSpace space = space(backend.device());
      try (TuningCases cases = new TuningCases(backend, models, precision.operands())) {
        if (cases.files().stream().allMatch(used -> space.of(used).isEmpty())) {
          throw new InputException(
              "--only: nothing of --model %s runs by a file to search, which are %s; it runs by %s"
                  .formatted(model, space.files().keySet(), cases.files()));
        }
        return tune(cases, space, file);
      }
    }
  }

  /** What the options leave of the device's space. */
  private TuningSpace space(DeviceInfo info) throws InputException {
    TuningSpace all = TuningSpace.of(info);
    Map<String, List<Tunable>> chosen = new LinkedHashMap<>();
    all.files()
        .forEach(
            (file, tunables) -> {
              List<Tunable> tried =
                  tunables.stream().filter(tunable -> rounding || tunable.sameBits()).toList();
              if (file.contains(only) && !tried.isEmpty()) {
                chosen.put(file, tried);
              }
            });
    if (chosen.isEmpty()) {
      throw new InputException(
          "--only: no file to search contains '%s'; there are %s%s"
              .formatted(
                  only,
                  String.join(", ", all.files().keySet()),
                  rounding ? "" : ", some with --rounding alone"));
    }
    return new TuningSpace(chosen);
  }

  /** The winners are written file by file: what is found survives what comes later. */
  private int tune(TuningCases cases, TuningSpace space, Path out) throws IOException {
    int exit = CommandLine.ExitCode.OK;
    TuningProgress progress = progress();
    long start = System.nanoTime();
    for (String file : cases.files()) {
      if (space.of(file).isEmpty()) {
        if (file.contains(only)) {
          progress.hasNoValues(file);
        }
        continue;
      }
      try {
        tune(file, cases, space, out);
      } catch (OpenClException e) {
        progress.failed(file, e.getMessage());
        exit = CommandLine.ExitCode.SOFTWARE;
      }
    }
    progress.written(out, (System.nanoTime() - start) / 1e9);
    return exit;
  }

  private void tune(String file, TuningCases cases, TuningSpace space, Path out)
      throws IOException {
    TuningProgress progress = progress();
    progress.runsDefinitions(file);
    Tuner tuner = new Tuner(cases, file, gain / 100, progress::tried);
    progress.searches(file, tuner);
    Tuner.Result result = tuner.search(space.of(file));
    DeviceInfo info = cases.backend().device();
    TunedValues.read(out).with(info, file, kernel(result)).write(out);
    progress.found(result);
  }

  private static TunedValues.Kernel kernel(Tuner.Result result) {
    return result.macros().isEmpty()
        ? null
        : new TunedValues.Kernel(
            TunedValues.digest(result.file()),
            result.macros(),
            result.sameBits(),
            Math.round(result.speedup() * 1000) / 1000.0);
  }

  private TuningProgress progress() {
    return new TuningProgress(spec.commandLine().getOut());
  }
}
