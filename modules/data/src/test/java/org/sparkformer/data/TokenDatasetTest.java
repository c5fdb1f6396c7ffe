package org.sparkformer.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenDatasetTest {
  private final Configuration configuration = new Configuration();
  @TempDir private Path folder;

  private static int[] readAll(TokenDataset dataset, Split split) throws IOException {
    int[] tokens = new int[Math.toIntExact(dataset.tokens(split))];
    dataset.read(split, 0, tokens, 0, tokens.length);
    return tokens;
  }

  @Test
  void holdsEveryDocumentOnceFollowedByEndOfText() throws IOException {
    try (TokenDataset dataset =
        TokenDataset.open(configuration, LinesDataset.build(configuration, folder))) {
      assertTrue(dataset.manifest().train().shards().size() > 5);
      assertEquals(270, dataset.manifest().train().documents());
      assertEquals(30, dataset.manifest().validation().documents());
      List<String> train = lines(dataset, Split.TRAIN);
      List<String> validation = lines(dataset, Split.VALIDATION);
      assertEquals(270, train.size());
      assertEquals(30, validation.size());
      List<String> all =
          IntStream.range(0, 300).mapToObj(i -> "line " + i + " of the text").toList();
      assertEquals(all.stream().filter(line -> !validation.contains(line)).toList(), train);
      assertEquals(all.stream().filter(validation::contains).toList(), validation);
    }
  }

  private static List<String> lines(TokenDataset dataset, Split split) throws IOException {
    String text = dataset.tokenizer().decode(readAll(dataset, split));
    assertEquals(
        dataset.textBytes(split),
        text.replace(BpeModel.END_OF_TEXT, "").getBytes(StandardCharsets.UTF_8).length);
    return List.of(text.split("<\\|endoftext\\|>"));
  }

  @Test
  void readsAcrossShards() throws IOException {
    try (TokenDataset dataset =
        TokenDataset.open(configuration, LinesDataset.build(configuration, folder))) {
      int[] all = readAll(dataset, Split.TRAIN);
      Random random = new Random(1);
      for (int i = 0; i < 500; i++) {
        int position = random.nextInt(all.length);
        int length = random.nextInt(all.length - position + 1);
        int[] found = new int[length + 2];
        dataset.read(Split.TRAIN, position, found, 1, length);
        assertArrayEquals(
            IntStream.range(position, position + length).map(p -> all[p]).toArray(),
            IntStream.rangeClosed(1, length).map(p -> found[p]).toArray());
        assertEquals(0, found[0] + found[length + 1]);
      }
      assertThrows(
          IndexOutOfBoundsException.class,
          () -> dataset.read(Split.TRAIN, all.length - 3, new int[9], 0, 4));
    }
  }

  @Test
  void recordsWhereEachDocumentEnds() throws IOException {
    String uri = LinesDataset.build(configuration, folder);
    ByteBuffer ends =
        ByteBuffer.wrap(Files.readAllBytes(Path.of(uri, "train-00003.idx")))
            .order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer tokens =
        ByteBuffer.wrap(Files.readAllBytes(Path.of(uri, "train-00003.bin")))
            .order(ByteOrder.LITTLE_ENDIAN);
    int endOfText = LinesDataset.BYTES.endOfText().getAsInt();
    for (int position = 0; position < tokens.capacity() / 2; position++) {
      if (tokens.getShort(2 * position) == endOfText) {
        assertEquals(position + 1, ends.getLong());
      }
    }
    assertFalse(ends.hasRemaining());
  }

  @Test
  void namesTheDocumentThatCannotBeTokenized() throws IOException {
    Path input = Files.writeString(folder.resolve("lines.txt"), "aaa\naab\n");
    Corpus corpus = new Corpus(List.of(input.toString()), InputFormat.LINES, "text");
    Tokenizer tokenizer = new CharacterTokenizer(new int[] {'a'});
    IOException error =
        assertThrows(
            IOException.class,
            () ->
                LocalDataset.build(
                    configuration, corpus, folder.resolve("dataset").toString(), tokenizer, 99));
    assertTrue(error.getMessage().contains("lines.txt at byte 4"), error.getMessage());
    assertTrue(error.getMessage().contains("U+0062"), error.getMessage());
  }

  @Test
  void doesNotOverwriteADatasetUnasked() throws IOException {
    String uri = LinesDataset.build(configuration, folder);
    IllegalArgumentException error =
        assertThrows(
            IllegalArgumentException.class, () -> DatasetWriter.create(configuration, uri, false));
    assertTrue(error.getMessage().contains("already holds a dataset"), error.getMessage());
    DatasetWriter.create(configuration, uri, true);
    TokenDataset.open(configuration, uri).close();
  }

  @Test
  void cutsASingleDocumentAtNineTenthsOfItsCharacters() throws IOException {
    String text = "ab😀cdé\n".repeat(30_001);
    Path input = Files.writeString(folder.resolve("one.txt"), text);
    Tokenizer tokenizer = new CharacterTokenizer(text.codePoints().sorted().distinct().toArray());
    String output = folder.resolve("dataset").toString();
    LocalDataset.build(configuration, Corpus.of(input.toString()), output, tokenizer, 1000);
    try (TokenDataset dataset = TokenDataset.open(configuration, output)) {
      int characters = text.codePointCount(0, text.length());
      long cut = (long) (characters * 0.9);
      assertEquals(cut, dataset.tokens(Split.TRAIN));
      assertEquals(characters - cut, dataset.tokens(Split.VALIDATION));
      assertArrayEquals(
          tokenizer.encode(text),
          IntStream.concat(
                  IntStream.of(readAll(dataset, Split.TRAIN)),
                  IntStream.of(readAll(dataset, Split.VALIDATION)))
              .toArray());
    }
  }

  @Test
  void writesWideTokensForLargeVocabularies() throws IOException {
    int[] codePoints = IntStream.range(0, 70_000).map(i -> i < 0xd800 ? i : i + 0x800).toArray();
    Tokenizer tokenizer = new CharacterTokenizer(codePoints);
    String text = "a" + Character.toString(codePoints[69_999]) + "z漢".repeat(100);
    Path input = Files.writeString(folder.resolve("one.txt"), text);
    String output = folder.resolve("dataset").toString();
    LocalDataset.build(configuration, Corpus.of(input.toString()), output, tokenizer, 1000);
    try (TokenDataset dataset = TokenDataset.open(configuration, output)) {
      assertEquals(4, dataset.manifest().tokenBytes());
      int[] tokens = new int[2];
      dataset.read(Split.TRAIN, 0, tokens, 0, 2);
      assertArrayEquals(new int[] {'a', 69_999}, tokens);
    }
  }
}
