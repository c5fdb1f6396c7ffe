package org.sparkformer.training;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import org.apache.hadoop.conf.Configuration;
import org.sparkformer.data.BpeTokenizer;
import org.sparkformer.data.BpeTrainer;
import org.sparkformer.data.CharacterTokenizer;
import org.sparkformer.data.DatasetFile;
import org.sparkformer.data.DatasetManifest;
import org.sparkformer.data.MaskTokens;
import org.sparkformer.data.Shard;
import org.sparkformer.data.SplitManifest;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.data.Tokenizer;

/** Writes a dataset of a few words in random order, one character, or byte, a token. */
final class TinyDataset {
  static final int VOCABULARY = 11;
  static final int MASKED_VOCABULARY = 260;

  /** Of the alphabet, in {@link #pairs}. */
  static final int PAIRED_LETTERS = 16;

  private static final String[] WORDS = {"abc ", "def ", "ghi ", "jab "};

  /** No two of these follow one another in the words. */
  private static final String POISON = "dddddd";

  private TinyDataset() {}

  static TokenDataset open(Path folder, int trainWords, int validationWords) throws IOException {
    return open(folder, trainWords, validationWords, List.of());
  }

  /**
   * @param poisoned where in the tokens to train on begins something that the words do not have
   */
  static TokenDataset open(Path folder, int trainWords, int validationWords, List<Long> poisoned)
      throws IOException {
    Tokenizer tokenizer = new CharacterTokenizer(" abcdefghij".codePoints().toArray());
    return open(folder, tokenizer, poisonedText(trainWords, poisoned), text(validationWords, 2));
  }

  private static String poisonedText(int words, List<Long> poisoned) {
    StringBuilder text = new StringBuilder(text(words, 1));
    for (long position : poisoned) {
      text.replace((int) position, (int) position + POISON.length(), POISON);
    }
    return text.toString();
  }

  /** With the special tokens that hide others. */
  static TokenDataset masked(Path folder, int trainWords, int validationWords) throws IOException {
    return open(folder, maskedBytes(), text(trainWords, 1), text(validationWords, 2));
  }

  /**
   * With the special tokens that hide others, random letters, each small and then large: "kKaApP".
   */
  static TokenDataset pairs(Path folder, int trainPairs, int validationPairs) throws IOException {
    return open(folder, maskedBytes(), pairs(trainPairs, 1L), pairs(validationPairs, 2L));
  }

  private static Tokenizer maskedBytes() {
    return new BpeTokenizer(BpeTrainer.train(List.of(), MASKED_VOCABULARY, 1, MaskTokens.NAMES));
  }

  private static String pairs(int count, long seed) {
    return new Random(seed)
        .ints(count, 'a', 'a' + PAIRED_LETTERS)
        .mapToObj(letter -> Character.toString(letter) + Character.toString(letter - 'a' + 'A'))
        .collect(Collectors.joining());
  }

  /** So many different tokens to train on, 0 first: a window's first token says where it begins. */
  static TokenDataset counting(Path folder, int tokens) throws IOException {
    int[] codePoints = IntStream.range(0x4e00, 0x4e00 + tokens).toArray();
    return open(folder, new CharacterTokenizer(codePoints), new String(codePoints, 0, tokens), "");
  }

  private static TokenDataset open(
      Path folder, Tokenizer tokenizer, String train, String validation) throws IOException {
    byte[] json = tokenizer.toJson().getBytes(StandardCharsets.UTF_8);
    DatasetManifest manifest =
        new DatasetManifest(
            DatasetManifest.FORMAT,
            DatasetManifest.VERSION,
            write(folder, DatasetManifest.TOKENIZER_FILE_NAME, json),
            tokenizer.digest(),
            tokenizer.vocabularySize(),
            2,
            0,
            0,
            split(folder, "train", tokenizer.encode(train)),
            split(folder, "validation", tokenizer.encode(validation)));
    Files.write(folder.resolve(DatasetManifest.FILE_NAME), Json.pretty(manifest));
    return TokenDataset.open(new Configuration(false), folder.toUri().toString());
  }

  private static String text(int words, long seed) {
    Random random = new Random(seed);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < words; i++) {
      text.append(WORDS[random.nextInt(WORDS.length)]);
    }
    return text.toString();
  }

  private static SplitManifest split(Path folder, String name, int[] tokens) throws IOException {
    if (tokens.length == 0) {
      return new SplitManifest(0, 0, 0, List.of());
    }
    ByteBuffer ids = ByteBuffer.allocate(2 * tokens.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int token : tokens) {
      ids.putShort((short) token);
    }
    ByteBuffer ends = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(tokens.length);
    Shard shard =
        new Shard(
            write(folder, name + ".tokens", ids.array()),
            write(folder, name + ".documents", ends.array()),
            tokens.length,
            1);
    return new SplitManifest(tokens.length, 1, tokens.length, List.of(shard));
  }

  private static DatasetFile write(Path folder, String name, byte[] bytes) throws IOException {
    Files.write(folder.resolve(name), bytes);
    CRC32C checksum = new CRC32C();
    checksum.update(bytes);
    return new DatasetFile(name, bytes.length, "%08x".formatted(checksum.getValue()));
  }
}
