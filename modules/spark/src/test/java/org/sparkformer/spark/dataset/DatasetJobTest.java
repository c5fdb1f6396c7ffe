package org.sparkformer.spark.dataset;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.data.Corpus;
import org.sparkformer.data.InputFormat;
import org.sparkformer.data.Split;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.spark.SparkformerKryoRegistrator;

/** A local Spark with Kryo registration required, and a folder for inputs and outputs. */
abstract class DatasetJobTest {
  @TempDir Path folder;
  private JavaSparkContext spark;

  /** The context, started anew where another master is asked for. */
  JavaSparkContext spark(String master) {
    stop();
    SparkConf configuration =
        new SparkConf()
            .setMaster(master)
            .setAppName(getClass().getSimpleName())
            .set("spark.ui.enabled", "false")
            .set("spark.serializer", "org.apache.spark.serializer.KryoSerializer")
            .set("spark.kryo.registrationRequired", "true")
            .set("spark.kryo.registrator", SparkformerKryoRegistrator.class.getName());
    spark = new JavaSparkContext(configuration);
    spark.setLogLevel("ERROR");
    return spark;
  }

  JavaSparkContext spark() {
    return spark == null ? spark("local[2]") : spark;
  }

  /** Makes inputs with Spark SQL, whose own classes need no registration here. */
  void sql(Consumer<SparkSession> action) {
    stop();
    SparkSession session =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", false)
            .config("spark.sql.warehouse.dir", path("warehouse"))
            .getOrCreate();
    try {
      session.sparkContext().setLogLevel("ERROR");
      action.accept(session);
    } finally {
      session.stop();
    }
  }

  @AfterEach
  void stop() {
    if (spark != null) {
      spark.stop();
      spark = null;
    }
  }

  String write(String name, String text) throws IOException {
    return write(name, text.getBytes(StandardCharsets.UTF_8));
  }

  String write(String name, byte[] bytes) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.write(file, bytes).toString();
  }

  String path(String name) {
    return folder.resolve(name).toString();
  }

  Corpus corpus(InputFormat format, String... names) {
    return new Corpus(Stream.of(names).map(this::path).toList(), format, "text");
  }

  static String text(TokenDataset dataset, Split split) throws IOException {
    int[] tokens = new int[Math.toIntExact(dataset.tokens(split))];
    dataset.read(split, 0, tokens, 0, tokens.length);
    return dataset.tokenizer().decode(tokens);
  }

  /** Names and contents of a dataset's visible files. */
  static Map<String, List<Byte>> contents(String dataset) throws IOException {
    Map<String, List<Byte>> contents = new TreeMap<>();
    try (Stream<Path> files = Files.list(Path.of(dataset))) {
      for (Path file : files.filter(f -> !f.getFileName().toString().startsWith(".")).toList()) {
        byte[] bytes = Files.readAllBytes(file);
        Byte[] boxed = new Byte[bytes.length];
        Arrays.setAll(boxed, i -> bytes[i]);
        contents.put(file.getFileName().toString(), List.of(boxed));
      }
    }
    return contents;
  }
}
