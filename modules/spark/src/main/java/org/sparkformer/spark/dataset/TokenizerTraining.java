package org.sparkformer.spark.dataset;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.TaskCompletionListener;
import org.sparkformer.data.BpeTokenizer;
import org.sparkformer.data.BpeTrainer;
import org.sparkformer.data.CharacterTokenizer;
import org.sparkformer.data.Corpus;
import org.sparkformer.data.SliceReader;
import org.sparkformer.data.Tokenizer;
import org.sparkformer.data.Tokenizers;
import org.sparkformer.data.WordCount;
import scala.Tuple2;

/**
 * Trains a tokenizer on a corpus. Executors count; the driver learns from the counts. The result
 * does not depend on how the corpus was divided.
 */
public final class TokenizerTraining {
  /**
   * Words that the driver takes at most. Of more, the rarest are left out: all that occur less
   * often than the smallest count for which the rest fits.
   */
  static final int LARGEST_WORD_TABLE = 2_000_000;

  private final CorpusJob job;
  private final TokenizerTrainingRequest request;

  private TokenizerTraining(CorpusJob job, TokenizerTrainingRequest request) {
    this.job = job;
    this.request = request;
  }

  /**
   * Trains the tokenizer.
   *
   * @throws java.io.FileNotFoundException if an input matches nothing
   * @throws IllegalArgumentException if the corpus holds no text, or the vocabulary cannot hold the
   *     bytes
   * @throws IOException if an input cannot be read
   */
  public static TokenizerTrainingResult run(
      JavaSparkContext spark, TokenizerTrainingRequest request) throws IOException {
    CorpusJob job = CorpusJob.plan(spark, request.corpus());
    TokenizerTraining training = new TokenizerTraining(job, request);
    return request.kind() == TokenizerKind.CHARACTER
        ? training.characters()
        : training.bytePairs(LARGEST_WORD_TABLE);
  }

  /**
   * The tokenizer that the configuration key {@code data.tokenizer} names: {@code char} or {@code
   * bpe} or {@code masked-bpe}, trained on the corpus; a published vocabulary such as {@code gpt2};
   * or the path of a {@code tokenizer.json}.
   *
   * @param vocabularySize {@code model.vocab_size}: the size to train, and the most that is
   *     accepted
   * @throws IllegalArgumentException if the tokenizer has more tokens than that
   */
  public static Tokenizer resolve(
      JavaSparkContext spark, String name, Corpus corpus, int vocabularySize) throws IOException {
    Tokenizer tokenizer =
        switch (name) {
          case "char" -> trained(spark, corpus, TokenizerKind.CHARACTER, vocabularySize);
          case "bpe" -> trained(spark, corpus, TokenizerKind.BYTE_PAIR, vocabularySize);
          case "masked-bpe" ->
              trained(spark, corpus, TokenizerKind.MASKED_BYTE_PAIR, vocabularySize);
          case Tokenizers.GPT2 -> Tokenizers.named(name);
          default -> Tokenizers.load(spark.hadoopConfiguration(), name);
        };
    tokenizer.requireFits(vocabularySize);
    return tokenizer;
  }

  private static Tokenizer trained(
      JavaSparkContext spark, Corpus corpus, TokenizerKind kind, int vocabularySize)
      throws IOException {
    TokenizerTrainingRequest request =
        new TokenizerTrainingRequest(
            corpus, kind, vocabularySize, TokenizerTrainingRequest.DEFAULT_MINIMUM_COUNT);
    return run(spark, request).tokenizer();
  }

  private TokenizerTrainingResult characters() throws IOException {
    long start = System.nanoTime();
    CorpusJob.Reading reading = job.reading();
    List<long[]> alphabets =
        job.run(
            "collect characters", () -> job.rdd().map(slice -> alphabet(reading, slice)).collect());
    BitSet characters = new BitSet();
    long documents = 0;
    for (long[] alphabet : alphabets) {
      documents += alphabet[0];
      characters.or(BitSet.valueOf(Arrays.copyOfRange(alphabet, 1, alphabet.length)));
    }
    requireText(characters.cardinality());
    if (documents > 1) {
      characters.set('\n');
    }
    CharacterTokenizer tokenizer = new CharacterTokenizer(characters.stream().toArray());
    return new TokenizerTrainingResult(tokenizer, characters.cardinality(), seconds(start));
  }

  /**
   * The number of a slice's documents, then the set of its code points as the words of a bit set.
   */
  private static long[] alphabet(CorpusJob.Reading reading, String slice) throws IOException {
    long documents = 0;
    BitSet characters = new BitSet();
    try (SliceReader reader = reading.open(slice)) {
      while (reader.next()) {
        documents++;
        for (String text = reader.read(); text != null; text = reader.read()) {
          text.codePoints().forEach(characters::set);
        }
      }
    }
    long[] words = characters.toLongArray();
    long[] result = new long[words.length + 1];
    result[0] = documents;
    System.arraycopy(words, 0, result, 1, words.length);
    return result;
  }

  private TokenizerTrainingResult bytePairs(int largestTable) throws IOException {
    long start = System.nanoTime();
    CorpusJob.Reading reading = job.reading();
    JavaPairRDD<String, Long> counts =
        job.rdd()
            .flatMapToPair(slice -> words(reading.open(slice)))
            .reduceByKey(Long::sum)
            .persist(StorageLevel.MEMORY_AND_DISK());
    try {
      long distinct = job.run("count words", counts::count);
      requireText(distinct);
      List<WordCount> table = job.run("collect word counts", () -> table(counts, largestTable));
      BpeTokenizer tokenizer =
          new BpeTokenizer(
              BpeTrainer.train(
                  table,
                  request.vocabularySize(),
                  request.minimumCount(),
                  request.kind().specialTokens()));
      return new TokenizerTrainingResult(tokenizer, distinct, seconds(start));
    } finally {
      counts.unpersist();
    }
  }

  private static WordCounts words(SliceReader reader) {
    TaskCompletionListener closing = context -> close(reader);
    TaskContext.get().addTaskCompletionListener(closing);
    return new WordCounts(reader);
  }

  private static void close(SliceReader reader) {
    try {
      reader.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The words of at least the smallest count for which they are no more than the driver takes. */
  static List<WordCount> table(JavaPairRDD<String, Long> counts, int largestTable) {
    long smallest = smallestCount(counts, largestTable);
    return counts.filter(word -> word._2() >= smallest).collect().stream()
        .map(word -> new WordCount(word._1(), word._2()))
        .toList();
  }

  private static long smallestCount(JavaPairRDD<String, Long> counts, int largestTable) {
    List<Tuple2<Long, Long>> wordsOfCount =
        counts
            .mapToPair(word -> new Tuple2<>(word._2(), 1L))
            .reduceByKey(Long::sum)
            .collect()
            .stream()
            .sorted(Comparator.comparing((Tuple2<Long, Long> group) -> group._1()).reversed())
            .toList();
    long words = 0;
    long smallest = Long.MAX_VALUE;
    for (Tuple2<Long, Long> group : wordsOfCount) {
      words += group._2();
      if (words > largestTable) {
        break;
      }
      smallest = group._1();
    }
    return smallest;
  }

  private void requireText(long found) {
    if (found == 0) {
      throw new IllegalArgumentException(
          "the corpus %s holds no text; check the inputs and their format"
              .formatted(request.corpus().inputs()));
    }
  }

  private static double seconds(long start) {
    return (System.nanoTime() - start) * 1e-9;
  }
}
