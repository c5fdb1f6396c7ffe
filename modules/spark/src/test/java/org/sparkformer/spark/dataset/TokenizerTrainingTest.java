package org.sparkformer.spark.dataset;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.apache.spark.api.java.JavaPairRDD;
import org.junit.jupiter.api.Test;
import org.sparkformer.data.BpeTokenizer;
import org.sparkformer.data.BpeTrainer;
import org.sparkformer.data.Corpus;
import org.sparkformer.data.InputFormat;
import org.sparkformer.data.Tokenizer;
import org.sparkformer.data.WordCount;
import scala.Tuple2;

class TokenizerTrainingTest extends DatasetJobTest {

  private Tokenizer train(Corpus corpus, TokenizerKind kind, int size) throws IOException {
    return TokenizerTraining.run(spark(), new TokenizerTrainingRequest(corpus, kind, size, 2))
        .tokenizer();
  }

  private void writeCorpus() throws IOException {
    Random random = new Random(4);
    for (int file = 0; file < 6; file++) {
      StringBuilder text = new StringBuilder();
      int lines = file == 0 ? 0 : file == 1 ? 40_000 : 50;
      for (int line = 0; line < lines; line++) {
        text.append("It's ")
            .append(random.nextInt(5000))
            .append(" lines' größe, ")
            .append(Integer.toString(random.nextInt(99_999), 36))
            .append(" 漢字\n");
      }
      write("corpus/%d.txt".formatted(file), text.toString());
    }
  }

  @Test
  void learnsTheSameMergesWhateverTheNumberOfCoresAndTheOrderOfFiles() throws IOException {
    writeCorpus();
    spark("local[1]");
    Tokenizer one = train(corpus(InputFormat.TEXT, "corpus"), TokenizerKind.BYTE_PAIR, 500);
    spark("local[3]");
    Tokenizer three =
        train(
            corpus(InputFormat.TEXT, "corpus/5.txt", "corpus/1.txt", "corpus"),
            TokenizerKind.BYTE_PAIR,
            500);
    assertEquals(500, one.vocabularySize());
    assertEquals(one.digest(), three.digest());
  }

  @Test
  void leavesTheRarestWordsToTheExecutors() {
    JavaPairRDD<String, Long> counts =
        spark()
            .parallelizePairs(
                List.of(
                    new Tuple2<>("often", 9L),
                    new Tuple2<>("twice", 2L),
                    new Tuple2<>("pair", 2L),
                    new Tuple2<>("some", 5L),
                    new Tuple2<>("once", 1L)),
                3);
    assertEquals(List.of("often", "some"), words(TokenizerTraining.table(counts, 3)));
    assertEquals(
        List.of("often", "pair", "some", "twice"), words(TokenizerTraining.table(counts, 4)));
    assertEquals(5, TokenizerTraining.table(counts, 5).size());
  }

  private static List<String> words(List<WordCount> table) {
    return List.copyOf(new TreeSet<>(table.stream().map(WordCount::word).toList()));
  }

  @Test
  void learnsTheCharactersOfACorpusInTheirOrder() throws IOException {
    write("a.txt", "héllo\n");
    write("b.txt", "😀 z");
    write("c.txt", "");
    Tokenizer tokenizer = train(corpus(InputFormat.AUTO, "*.txt"), TokenizerKind.CHARACTER, 0);
    assertArrayEquals(new int[] {0, 1, 2, 3, 4, 5, 6, 7}, tokenizer.encode("\n hlozé😀"));
    assertEquals(8, tokenizer.vocabularySize());
  }

  @Test
  void addsALineFeedToSeparateSeveralDocumentsOnly() throws IOException {
    write("lines.txt", "ab\nc");
    assertArrayEquals(
        new int[] {0},
        train(corpus(InputFormat.LINES, "lines.txt"), TokenizerKind.CHARACTER, 0)
            .documentSeparator());
    write("one.txt", "ab");
    assertEquals(
        2,
        train(corpus(InputFormat.LINES, "one.txt"), TokenizerKind.CHARACTER, 0).vocabularySize());
  }

  @Test
  void resolvesTheNamesOfAConfiguration() throws IOException {
    write("a.txt", "some text, some more text");
    Corpus corpus = corpus(InputFormat.AUTO, "a.txt");
    Tokenizer bpe = TokenizerTraining.resolve(spark(), "bpe", corpus, 260);
    assertEquals(260, bpe.vocabularySize());
    assertEquals(50257, TokenizerTraining.resolve(spark(), "gpt2", corpus, 50304).vocabularySize());
    String file = write("tokenizers/tokenizer.json", bpe.toJson());
    assertEquals(bpe.digest(), TokenizerTraining.resolve(spark(), file, corpus, 260).digest());
    assertEquals(
        bpe.digest(), TokenizerTraining.resolve(spark(), path("tokenizers"), corpus, 260).digest());
    assertThrows(
        FileNotFoundException.class,
        () -> TokenizerTraining.resolve(spark(), path("absent.json"), corpus, 260));
    IllegalArgumentException tooLarge =
        assertThrows(
            IllegalArgumentException.class,
            () -> TokenizerTraining.resolve(spark(), "gpt2", corpus, 1000));
    assertTrue(tooLarge.getMessage().contains("model.vocab_size"), tooLarge.getMessage());
  }

  @Test
  void refusesACorpusWithoutText() throws IOException {
    write("empty.txt", "");
    for (TokenizerKind kind : TokenizerKind.values()) {
      IllegalArgumentException error =
          assertThrows(
              IllegalArgumentException.class,
              () -> train(corpus(InputFormat.AUTO, "empty.txt"), kind, 300));
      assertTrue(error.getMessage().contains("holds no text"), error.getMessage());
    }
  }

  @Test
  void countsWordsAsOnePassOverTheTextDoes() throws IOException {
    write("a.txt", "aa bb aa\n\ncc bb aa");
    Tokenizer trained = train(corpus(InputFormat.AUTO, "a.txt"), TokenizerKind.BYTE_PAIR, 300);
    List<WordCount> words =
        List.of(
            new WordCount("aa", 1),
            new WordCount(" aa", 2),
            new WordCount(" bb", 2),
            new WordCount("cc", 1),
            new WordCount("\n", 2));
    assertEquals(new BpeTokenizer(BpeTrainer.train(words, 300, 2)).digest(), trained.digest());
  }
}
