package org.sparkformer.app.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.app.Sparkformer;
import picocli.CommandLine;

/**
 * The scripts of {@code deploy/}, copied beside a jar of nothing, and Spark's commands replaced by
 * one that prints what it is given, an argument a line.
 */
class DeployScriptsTest {
  private static final Path DEPLOY = Path.of("../../deploy");
  private static final String RECORDER = "#!/bin/sh\nprintf '%s\\n' \"$@\"\n";
  private static final Pattern CRON =
      Pattern.compile("(\\S+ \\S+ \\S+ \\S+ \\S+) flock -n \\S+ (\\S+) (.*) 2>>\\S+");

  @TempDir Path folder;
  private Path deploy;

  private record Answer(int status, List<String> out, String error) {}

  static List<Path> scripts() throws IOException {
    try (Stream<Path> files = Files.walk(DEPLOY)) {
      return files.filter(file -> file.toString().endsWith(".sh")).sorted().toList();
    }
  }

  @BeforeEach
  void copy() throws IOException {
    deploy = folder.resolve("deploy");
    for (Path script : scripts()) {
      Path copy = deploy.resolve(DEPLOY.relativize(script));
      Files.createDirectories(copy.getParent());
      Files.copy(script, copy);
    }
    Path jar = folder.resolve("modules/app/target/sparkformer.jar");
    Files.createDirectories(jar.getParent());
    Files.createFile(jar);
    for (String command : List.of("bin/spark-submit", "sbin/spark-daemon.sh")) {
      tool(folder.resolve("spark").resolve(command), RECORDER);
    }
    tool(folder.resolve("tools/ps"), RECORDER);
  }

  private static void tool(Path file, String script) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, script);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @ParameterizedTest
  @MethodSource("scripts")
  void everyScriptIsOneThatBashReadsAndMayRun(Path script) throws Exception {
    assertTrue(Files.isExecutable(script), script.toString());
    Answer answer = run(Map.of(), "-n", script.toString());
    assertEquals(0, answer.status(), answer.error());
  }

  @Test
  void theCronLineRunsAScriptOfOursOnATrainingCommand() throws Exception {
    List<String> lines = Files.readAllLines(DEPLOY.resolve("standalone/crontab.example"));
    Matcher cron = CRON.matcher(lines.get(lines.size() - 1));
    assertTrue(cron.matches(), lines.toString());
    assertTrue(cron.group(1).matches("[*/0-9,-]+( [*/0-9,-]+){4}"), cron.group(1));
    Path script = DEPLOY.resolve(cron.group(2).replaceFirst("^.*/deploy/", ""));
    assertTrue(Files.isExecutable(script), script.toString());
    assertTraining(List.of(cron.group(3).split(" ")));
    for (String line : lines.subList(0, lines.size() - 1)) {
      String name = line.replaceFirst("=.*", "");
      assertTrue(
          line.startsWith("#") || Files.readString(script).contains("# " + name + " "), line);
    }
  }

  @Test
  void sparkSubmitIsGivenAsManyCoresAsExecutorsHaveAndTheCommandAsItIs() throws Exception {
    Answer answer =
        run(
            Map.of("MASTER", "spark://first:7077", "EXECUTORS", "3", "CORES", "2"),
            deploy.resolve("spark-submit.sh").toString(),
            "train",
            "gpt2",
            "--set",
            "data.input=a file.txt");
    assertEquals(0, answer.status(), answer.error());
    assertHas(answer, "--master", "spark://first:7077");
    assertHas(answer, "--conf", "spark.executor.instances=3");
    assertHas(answer, "--conf", "spark.cores.max=6");
    assertHas(answer, "--executor-cores", "2");
    assertHas(answer, "--executor-memory", "4g");
    assertEndsWithOurCommand(answer, "train", "gpt2", "--set", "data.input=a file.txt");
  }

  @Test
  void yarnIsAskedForGpusWhereThereAreAnyToAskFor() throws Exception {
    String script = deploy.resolve("yarn/submit.sh").toString();
    Map<String, String> hadoop = Map.of("HADOOP_CONF_DIR", folder.toString());
    Answer processors = run(hadoop, script, "train", "gpt2");
    assertHas(processors, "--deploy-mode", "cluster");
    assertTrue(processors.out().stream().noneMatch(word -> word.contains("gpu")));
    assertEndsWithOurCommand(processors, "train", "gpt2");
    Answer gpus =
        run(Map.of("HADOOP_CONF_DIR", folder.toString(), "GPUS", "2"), script, "train", "gpt2");
    assertHas(gpus, "--conf", "spark.executor.resource.gpu.amount=2");
    String files = gpus.out().get(gpus.out().indexOf("--files") + 1);
    assertEquals(deploy + "/log4j2.properties," + deploy + "/gpus.sh", files);
    Answer nowhere = run(Map.of(), script, "train", "gpt2");
    assertEquals(1, nowhere.status());
    assertTrue(nowhere.error().contains("set HADOOP_CONF_DIR"), nowhere.error());
  }

  @Test
  void withoutAJarOrSparkTheErrorSaysWhatToDo() throws Exception {
    String script = deploy.resolve("spark-submit.sh").toString();
    Answer noSpark = run(Map.of("SPARK_HOME", folder.toString()), script, "train", "gpt2");
    assertEquals(2, noSpark.status());
    assertTrue(noSpark.error().contains("set SPARK_HOME"), noSpark.error());
    Files.delete(folder.resolve("modules/app/target/sparkformer.jar"));
    Answer noJar = run(Map.of(), script, "train", "gpt2");
    assertEquals(2, noJar.status());
    assertTrue(noJar.error().contains("build it with ./sparkformer --help"), noJar.error());
  }

  @Test
  void aStandaloneClusterIsStartedAndStoppedByTheDistributionsDaemons() throws Exception {
    String start = deploy.resolve("standalone/start.sh").toString();
    Answer master = run(Map.of("SPARK_MASTER_HOST", "first"), start, "master");
    assertEquals(0, master.status(), master.error());
    assertHas(master, "start", "org.apache.spark.deploy.master.Master", "1", "--host", "first");
    Answer worker =
        run(Map.of("CORES", "2", "INSTANCE", "3"), start, "worker", "spark://first:7077");
    assertHas(worker, "org.apache.spark.deploy.worker.Worker", "3", "--cores", "2");
    assertHas(worker, "2", "spark://first:7077");
    assertEquals(2, run(Map.of(), start, "worker").status());
    assertEquals(2, run(Map.of(), start).status());
    Answer stop = run(Map.of(), deploy.resolve("standalone/stop.sh").toString());
    assertHas(stop, "stop", "org.apache.spark.deploy.worker.Worker", "1");
    assertHas(stop, "stop", "org.apache.spark.deploy.master.Master", "1");
  }

  /** Without ps Spark's script starts daemons that it takes for ended, and stops none. */
  @ParameterizedTest
  @ValueSource(strings = {"start.sh", "stop.sh"})
  void withoutPsTheErrorSaysWhatToInstall(String script) throws Exception {
    Path bare = Files.createDirectory(folder.resolve("bare"));
    for (String tool : List.of("readlink", "dirname")) {
      Files.createSymbolicLink(bare.resolve(tool), Path.of("/usr/bin", tool));
    }
    Answer answer =
        run(
            Map.of("PATH", bare.toString()),
            deploy.resolve("standalone").resolve(script).toString(),
            "master");
    assertEquals(2, answer.status(), answer.error());
    assertEquals("Spark's daemons need ps (Debian: procps)\n", answer.error());
    assertEquals(List.of(), answer.out());
  }

  /** The options reach the worker by its environment. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void aStandaloneWorkerOffersAsManyGpusAsThereAre(int gpus) throws Exception {
    tool(
        folder.resolve("spark/sbin/spark-daemon.sh"),
        "#!/bin/sh\nprintf '%s\\n' $SPARK_WORKER_OPTS\n");
    tool(
        folder.resolve("tools/nvidia-smi"),
        "#!/bin/sh\nprintf '%s\\n' 00000000:0A:00.0 00000000:AF:00.0 | head -n " + gpus + "\n");
    Answer worker =
        run(
            Map.of(),
            deploy.resolve("standalone/start.sh").toString(),
            "worker",
            "spark://first:7077");
    assertEquals(0, worker.status(), worker.error());
    assertHas(
        worker,
        "-Dspark.worker.resource.gpu.amount=" + gpus,
        "-Dspark.worker.resource.gpu.discoveryScript=" + deploy.toRealPath().resolve("gpus.sh"));
  }

  private void assertEndsWithOurCommand(Answer answer, String... command) throws Exception {
    List<String> end = new ArrayList<>(List.of("--class", Sparkformer.class.getName()));
    end.add(folder.toRealPath().resolve("modules/app/target/sparkformer.jar").toString());
    end.addAll(List.of(command));
    List<String> out = answer.out();
    assertEquals(end, out.subList(out.size() - end.size(), out.size()));
    assertTraining(List.of(command));
  }

  private static void assertTraining(List<String> command) {
    CommandLine.ParseResult parsed =
        Sparkformer.commandLine().parseArgs(command.toArray(String[]::new));
    assertEquals("train", parsed.subcommand().commandSpec().name());
  }

  private static void assertHas(Answer answer, String... neighbours) {
    String all = String.join("\n", answer.out());
    assertTrue(("\n" + all + "\n").contains("\n" + String.join("\n", neighbours) + "\n"), all);
  }

  /** Runs bash with no environment of ours but the PATH, and the stand-ins for Spark and tools. */
  private Answer run(Map<String, String> environment, String... arguments) throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(Stream.concat(Stream.of("bash"), Arrays.stream(arguments)).toList());
    String path = folder.resolve("tools") + ":" + System.getenv("PATH");
    builder.environment().clear();
    builder.environment().put("PATH", path);
    builder.environment().put("SPARK_HOME", folder.resolve("spark").toString());
    builder.environment().putAll(environment);
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String error = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Answer(process.waitFor(), out.lines().toList(), error);
  }
}
