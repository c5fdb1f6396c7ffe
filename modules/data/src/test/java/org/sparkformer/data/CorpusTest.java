package org.sparkformer.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CorpusTest {
  private final Configuration configuration = new Configuration();
  @TempDir private Path folder;

  private void write(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private Corpus corpus(InputFormat format, String... names) {
    return new Corpus(
        List.of(names).stream().map(name -> folder.resolve(name).toString()).toList(),
        format,
        "text");
  }

  private List<String> documents(Corpus corpus, long sliceBytes) throws IOException {
    List<String> documents = new ArrayList<>();
    for (CorpusSlice slice :
        CorpusSlice.plan(CorpusFiles.list(configuration, corpus), sliceBytes)) {
      TextDocuments opener = new TextDocuments(configuration, corpus.field());
      try (SliceReader reader = new SliceReader(CorpusSlice.parse(slice.toJson()), opener)) {
        while (reader.next()) {
          StringBuilder text = new StringBuilder();
          for (String piece = reader.read(); piece != null; piece = reader.read()) {
            text.append(piece);
          }
          documents.add(text.toString());
        }
      }
    }
    return documents;
  }

  @Test
  void listsFoldersAndGlobsInTheOrderOfTheirNames() throws IOException {
    for (String name : List.of("b/2.txt", "b/1.txt", "b/c/0.txt", "a.txt", "b/_SUCCESS", "b/.x")) {
      write(name, name);
    }
    assertEquals(
        List.of("b/1.txt", "b/2.txt", "b/c/0.txt", "a.txt"),
        documents(corpus(InputFormat.AUTO, "b", "*.txt", "b/2.txt"), 1000));
    assertEquals(
        List.of("b/1.txt", "b/2.txt"), documents(corpus(InputFormat.AUTO, "b/{2,1}.*"), 1000));
  }

  @Test
  void namesAnInputThatMatchesNothing() {
    for (String name : List.of("absent.txt", "absent/*.txt", "*.absent")) {
      FileNotFoundException error =
          assertThrows(
              FileNotFoundException.class,
              () -> CorpusFiles.list(configuration, corpus(InputFormat.AUTO, name)));
      assertTrue(error.getMessage().contains(name), error.getMessage());
    }
  }

  @Test
  void readsTheSameLinesWhereverTheFileIsCut() throws IOException {
    write("lines.txt", "\ufefffirst\n\nthird\r\nvierté\n😀😀😀\n" + "long".repeat(50) + "\nno end");
    List<String> expected =
        List.of("first", "", "third", "vierté", "😀😀😀", "long".repeat(50), "no end");
    for (int bytes = 1; bytes < 300; bytes++) {
      assertEquals(expected, documents(corpus(InputFormat.LINES, "lines.txt"), bytes));
    }
  }

  @Test
  void readsJsonLinesWhereverTheFileIsCut() throws IOException {
    write(
        "a.jsonl",
        "{\"id\": 1, \"text\": \"one\\n1\"}\n\n{\"text\": null}\n{\"text\":\"\\ud83d!\"}");
    for (int bytes = 1; bytes < 80; bytes++) {
      assertEquals(
          List.of("one\n1", "", "\ufffd!"), documents(corpus(InputFormat.AUTO, "a.jsonl"), bytes));
    }
  }

  @Test
  void namesTheFileAndPlaceOfABadJsonLine() throws IOException {
    write("a.jsonl", "{\"text\": \"ok\"}\n{\"title\": \"no text\"}\n");
    write("b.jsonl", "{\"text\": \"ok\"}\nnot json\n");
    IOException missing =
        assertThrows(IOException.class, () -> documents(corpus(InputFormat.AUTO, "a.jsonl"), 1000));
    assertTrue(missing.getMessage().contains("a.jsonl at byte 15"), missing.getMessage());
    assertTrue(missing.getMessage().contains("'text'"), missing.getMessage());
    IOException broken =
        assertThrows(IOException.class, () -> documents(corpus(InputFormat.AUTO, "b.jsonl"), 1000));
    assertTrue(broken.getMessage().contains("b.jsonl at byte 15"), broken.getMessage());
  }

  @Test
  void readsCompressedFilesWhole() throws IOException {
    Path file = folder.resolve("a.jsonl.gz");
    try (OutputStream stream = new GZIPOutputStream(Files.newOutputStream(file))) {
      for (int i = 0; i < 1000; i++) {
        stream.write("{\"text\": \"document %d\"}\n".formatted(i).getBytes(StandardCharsets.UTF_8));
      }
    }
    List<String> documents = documents(corpus(InputFormat.AUTO, "a.jsonl.gz"), 100);
    assertEquals(1000, documents.size());
    assertEquals("document 999", documents.get(999));
  }

  @Test
  void namesACompressedFileThatIsNone() throws IOException {
    write("a.txt.gz", "not compressed");
    IOException error =
        assertThrows(
            IOException.class, () -> documents(corpus(InputFormat.AUTO, "a.txt.gz"), 1000));
    assertTrue(error.getMessage().contains("a.txt.gz"), error.getMessage());
  }

  @Test
  void plansTheSameSlicesForTheSameFilesAndKeepsSmallFilesTogether() {
    List<CorpusFile> files = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      files.add(new CorpusFile("f" + i, i == 5 ? 5000 : 30, InputFormat.TEXT, false));
    }
    files.add(new CorpusFile("lines", 250, InputFormat.LINES, true));
    List<CorpusSlice> slices = CorpusSlice.plan(files, 100);
    assertEquals(
        List.of(3, 2, 1, 3, 1, 1, 1, 1),
        slices.stream().map(slice -> slice.parts().size()).toList());
    assertEquals(
        new CorpusPart("lines", InputFormat.LINES, 200, 250), slices.get(7).parts().get(0));
  }

  @Test
  void drawsTheWantedShareOfDocumentsForValidation() {
    for (long documents : new long[] {2, 3, 9, 10, 101, 12345}) {
      SplitPlan plan = SplitPlan.of(new SliceCounts(documents, 0, 99, 0), 0.1);
      long validation = 0;
      for (long i = 0; i < documents; i++) {
        validation += plan.split(i) == Split.VALIDATION ? 1 : 0;
      }
      assertEquals(Math.max(1, Math.round(documents * 0.1)), validation);
    }
    assertThrows(
        IllegalArgumentException.class, () -> SplitPlan.of(new SliceCounts(5, 0, 9, 0), 1));
  }

  @Test
  void refusesAnEmptyCorpusInOneSentence() {
    IllegalArgumentException error =
        assertThrows(
            IllegalArgumentException.class, () -> SplitPlan.of(new SliceCounts(0, 3, 0, 0), 0.1));
    assertTrue(error.getMessage().contains("the corpus is empty"), error.getMessage());
  }
}
