package org.sparkformer.spark.dataset;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Encoders;
import org.junit.jupiter.api.Test;
import org.sparkformer.data.Corpus;
import org.sparkformer.data.CorruptDatasetException;
import org.sparkformer.data.DatasetManifest;
import org.sparkformer.data.InputFormat;
import org.sparkformer.data.Split;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.data.Tokenizer;
import org.sparkformer.data.Tokenizers;

class DatasetBuildTest extends DatasetJobTest {
  private static final String END = "<\\|endoftext\\|>";
  private final Tokenizer gpt2 = Tokenizers.named("gpt2");

  private DatasetBuildResult build(Corpus corpus, String output) throws IOException {
    return DatasetBuild.run(
        spark(), new DatasetBuildRequest(corpus, path(output), gpt2, 0.1, false));
  }

  private TokenDataset open(String output) throws IOException {
    return TokenDataset.open(new Configuration(), path(output));
  }

  private TreeSet<String> documents(String output) throws IOException {
    try (TokenDataset dataset = open(output)) {
      TreeSet<String> documents = new TreeSet<>();
      for (Split split : Split.values()) {
        documents.addAll(List.of(text(dataset, split).split(END)));
      }
      return documents;
    }
  }

  @Test
  void buildsFromTextFilesLeavingOutEmptyOnes() throws IOException {
    for (int i = 0; i < 20; i++) {
      write("corpus/%02d.txt".formatted(i), i % 4 == 3 ? "" : "document %d\n".formatted(i));
    }
    DatasetBuildResult result = build(corpus(InputFormat.AUTO, "corpus"), "out");
    assertEquals(15, result.documents());
    assertEquals(5, result.manifest().emptyDocuments());
    assertEquals(2, result.manifest().validation().documents());
    TreeSet<String> documents = documents("out");
    assertEquals(15, documents.size());
    assertTrue(documents.contains("document 18\n"));
  }

  @Test
  void buildsFromLinesJsonLinesAndParquetAlike() throws IOException {
    List<String> texts =
        IntStream.range(0, 500).mapToObj(i -> "text %d ünïcödé 😀".formatted(i * 7919)).toList();
    write("lines.txt", String.join("\n", texts));
    write(
        "rows.jsonl",
        String.join("\n", texts.stream().map("{\"text\": \"%s\"}"::formatted).toList()));
    sql(
        session ->
            session
                .createDataset(texts, Encoders.STRING())
                .toDF("text")
                .selectExpr("42 as id", "text", "named_struct('inner', text) as outer")
                .coalesce(1)
                .write()
                .parquet(path("rows")));
    build(corpus(InputFormat.LINES, "lines.txt"), "from-lines");
    build(corpus(InputFormat.AUTO, "rows.jsonl"), "from-json");
    build(corpus(InputFormat.AUTO, "rows"), "from-parquet");
    build(new Corpus(List.of(path("rows")), InputFormat.PARQUET, "outer.inner"), "from-inner");
    assertEquals(new TreeSet<>(texts), documents("from-lines"));
    for (String other : List.of("from-json", "from-parquet", "from-inner")) {
      assertEquals(contents(path("from-lines")), contents(path(other)), other);
    }
  }

  @Test
  void namesTheColumnsOfAParquetFileThatLacksTheField() throws IOException {
    sql(session -> session.range(5).write().parquet(path("rows")));
    IOException error =
        assertThrows(IOException.class, () -> build(corpus(InputFormat.AUTO, "rows"), "out"));
    assertTrue(error.getMessage().contains("'text'"), error.getMessage());
    assertTrue(error.getMessage().contains("[id]"), error.getMessage());
    assertFalse(error.getMessage().contains("\n"), error.getMessage());
  }

  @Test
  void leavesOutParquetRowsWithoutText() throws IOException {
    sql(
        session ->
            session
                .range(0, 100, 1, 7)
                .selectExpr("if(id % 3 = 0, null, concat('row ', id)) as text")
                .write()
                .parquet(path("rows")));
    DatasetBuildResult result = build(corpus(InputFormat.AUTO, "rows"), "out");
    assertEquals(66, result.documents());
    assertEquals(66, documents("out").size());
  }

  /**
   * Megabytes of lines, so that there are several slices, and files of very different sizes among
   * them.
   */
  @Test
  void writesTheSameBytesWhateverTheNumberOfCores() throws IOException {
    Random random = new Random(1);
    StringBuilder large = new StringBuilder();
    for (int i = 0; i < 200_000; i++) {
      large.append("line ").append(random.nextLong()).append(" of a large file\n");
    }
    write("corpus/b.txt", large.toString());
    write("corpus/a.txt", "");
    write("corpus/c.txt", "one\ntwo\n");
    Corpus corpus = corpus(InputFormat.LINES, "corpus");
    spark("local[1]");
    build(corpus, "one");
    spark("local[3]");
    DatasetBuildResult result = build(corpus, "three");
    assertTrue(result.manifest().train().shards().size() > 1);
    assertEquals(contents(path("one")), contents(path("three")));
    assertEquals(200_002, result.documents());
    assertEquals(20_000, result.manifest().validation().documents());
  }

  @Test
  void cutsASingleDocumentAtItsTail() throws IOException {
    write("one.txt", "0123456789".repeat(100));
    Tokenizer characters =
        TokenizerTraining.resolve(spark(), "char", corpus(InputFormat.AUTO, "one.txt"), 10);
    DatasetBuildRequest request =
        new DatasetBuildRequest(
            corpus(InputFormat.AUTO, "one.txt"), path("out"), characters, 0.1, false);
    DatasetManifest manifest = DatasetBuild.run(spark(), request).manifest();
    assertEquals(900, manifest.train().tokens());
    assertEquals(100, manifest.validation().tokens());
  }

  @Test
  void replacesAndCountsBrokenUtf8() throws IOException {
    byte[] bytes = "good \u00e9 bad ??? end".getBytes(StandardCharsets.UTF_8);
    int bad = new String(bytes, StandardCharsets.ISO_8859_1).indexOf('?');
    bytes[bad] = (byte) 0xff;
    bytes[bad + 1] = (byte) 0xe2;
    bytes[bad + 2] = (byte) 0x82;
    write("broken.txt", bytes);
    write("sound.txt", "sound");
    DatasetBuildResult result = build(corpus(InputFormat.AUTO, "*.txt"), "out");
    assertEquals(2, result.manifest().replacedCharacters());
    assertTrue(documents("out").contains("good é bad \ufffd\ufffd end"));
  }

  @Test
  void refusesAnEmptyCorpusAndMissingFilesBeforeWriting() throws IOException {
    write("empty/a.txt", "");
    write("empty/b.txt", "");
    IllegalArgumentException empty =
        assertThrows(
            IllegalArgumentException.class, () -> build(corpus(InputFormat.AUTO, "empty"), "out"));
    assertTrue(empty.getMessage().contains("corpus is empty"), empty.getMessage());
    Files.createDirectories(folder.resolve("nothing"));
    assertThrows(
        IllegalArgumentException.class, () -> build(corpus(InputFormat.AUTO, "nothing"), "out"));
    assertThrows(
        FileNotFoundException.class, () -> build(corpus(InputFormat.AUTO, "absent"), "out"));
    assertFalse(Files.exists(folder.resolve("out")));
  }

  @Test
  void tellsWhichLineIsNotJson() throws IOException {
    write("bad.jsonl", "{\"text\": \"fine\"}\n{\"text\": \n");
    IOException error =
        assertThrows(IOException.class, () -> build(corpus(InputFormat.AUTO, "bad.jsonl"), "out"));
    assertTrue(error.getMessage().contains("bad.jsonl at byte 17"), error.getMessage());
    assertFalse(error.getMessage().contains("\n"), error.getMessage());
  }

  @Test
  void clearsWhatAnUnfinishedBuildLeftAndKeepsAFinishedOne() throws IOException {
    write("out/train-00099.bin", "left over");
    write("out/notes.md", "the user's own");
    write("a.txt", "some text");
    build(corpus(InputFormat.AUTO, "a.txt"), "out");
    assertEquals(
        List.of(
            "manifest.json",
            "notes.md",
            "tokenizer.json",
            "train-00000.bin",
            "train-00000.idx",
            "validation-00000.bin",
            "validation-00000.idx"),
        List.copyOf(contents(path("out")).keySet()));
    assertThrows(
        IllegalArgumentException.class, () -> build(corpus(InputFormat.AUTO, "a.txt"), "out"));
  }

  @Test
  void opensOnlyWhatIsWhole() throws IOException {
    write("a.txt", "some text ".repeat(50));
    build(corpus(InputFormat.AUTO, "a.txt"), "out");
    Path shard = folder.resolve("out/train-00000.bin");
    byte[] bytes = Files.readAllBytes(shard);
    bytes[5]++;
    Files.write(shard, bytes);
    CorruptDatasetException error =
        assertThrows(CorruptDatasetException.class, () -> open("out").close());
    assertTrue(error.getMessage().contains("train-00000.bin"), error.getMessage());
  }

  /** A document of many pieces of a megabyte, cut where its tokens stay the same. */
  @Test
  void tokenizesALargeDocumentAsInOnePiece() throws IOException {
    Random random = new Random(2);
    StringBuilder text = new StringBuilder();
    while (text.length() < 3_000_000) {
      text.append("  \n".substring(random.nextInt(3))).append("word'll ").append(random.nextInt());
    }
    write("a/large.txt", text.toString());
    write("a/small.txt", "x");
    build(corpus(InputFormat.AUTO, "a"), "out");
    try (TokenDataset dataset = open("out")) {
      boolean trains = dataset.tokens(Split.TRAIN) > 10;
      Split split = trains ? Split.TRAIN : Split.VALIDATION;
      int[] tokens = new int[(int) dataset.tokens(split) - 1];
      dataset.read(split, 0, tokens, 0, tokens.length);
      assertArrayEquals(gpt2.encode(text.toString()), tokens, () -> Arrays.toString(tokens));
    }
  }
}
