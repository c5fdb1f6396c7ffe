package org.sparkformer.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import org.apache.hadoop.conf.Configuration;
import org.sparkformer.data.BpeModel;
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
import org.sparkformer.models.Objective;

/** Tokens drawn evenly from a vocabulary: what a step costs hangs on their number alone. */
final class SyntheticDataset {
  /** The first code point of the tokenizer; the planes from here on hold no surrogates. */
  private static final int FIRST_CHARACTER = 0x10000;

  /** The bytes and the special tokens. */
  private static final int BYTE_LEVEL = 256 + MaskTokens.NAMES.size();

  private SyntheticDataset() {}

  /** A tokenizer of so many tokens, special ones among them where the objective needs them. */
  static Tokenizer tokenizer(Objective objective, int vocabulary) {
    return objective == Objective.MASKED_TOKENS
        ? masked(vocabulary)
        : new CharacterTokenizer(
            IntStream.range(FIRST_CHARACTER, FIRST_CHARACTER + vocabulary).toArray());
  }

  private static Tokenizer masked(int vocabulary) {
    BpeModel least = BpeTrainer.train(List.of(), BYTE_LEVEL, 1, MaskTokens.NAMES);
    List<String> entries = new ArrayList<>(least.vocabulary());
    for (int id = entries.size(); id < vocabulary; id++) {
      entries.add("token" + id);
    }
    return new BpeTokenizer(new BpeModel(entries, List.of(), least.addedTokens(), false));
  }

  /**
   * Writes a dataset without a validation split.
   *
   * @param folder exists, empty
   */
  static TokenDataset write(Path folder, Tokenizer tokenizer, int tokens) throws IOException {
    int vocabulary = tokenizer.vocabularySize();
    int tokenBytes = DatasetManifest.tokenBytes(vocabulary);
    Shard shard =
        new Shard(
            write(folder, "train-00000.bin", ids(vocabulary, tokens, tokenBytes)),
            write(folder, "train-00000.idx", littleEndian(Long.BYTES).putLong(tokens)),
            tokens,
            1);
    String json = tokenizer.toJson();
    DatasetManifest manifest =
        new DatasetManifest(
            DatasetManifest.FORMAT,
            DatasetManifest.VERSION,
            write(
                folder,
                DatasetManifest.TOKENIZER_FILE_NAME,
                ByteBuffer.wrap(json.getBytes(StandardCharsets.UTF_8))),
            tokenizer.digest(),
            vocabulary,
            tokenBytes,
            0,
            0,
            new SplitManifest(tokens, 1, tokens, List.of(shard)),
            new SplitManifest(0, 0, 0, List.of()));
    Files.writeString(folder.resolve(DatasetManifest.FILE_NAME), manifest.toJson());
    return TokenDataset.open(new Configuration(false), folder.toUri().toString());
  }

  private static ByteBuffer ids(int vocabulary, int tokens, int tokenBytes) {
    Random random = new Random(1);
    ByteBuffer bytes = littleEndian(tokens * tokenBytes);
    for (int i = 0; i < tokens; i++) {
      int id = random.nextInt(vocabulary);
      if (tokenBytes == Short.BYTES) {
        bytes.putShort((short) id);
      } else {
        bytes.putInt(id);
      }
    }
    return bytes;
  }

  private static ByteBuffer littleEndian(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static DatasetFile write(Path folder, String name, ByteBuffer bytes) throws IOException {
    Files.write(folder.resolve(name), bytes.array());
    CRC32C checksum = new CRC32C();
    checksum.update(bytes.array());
    return new DatasetFile(name, bytes.capacity(), "%08x".formatted(checksum.getValue()));
  }
}
