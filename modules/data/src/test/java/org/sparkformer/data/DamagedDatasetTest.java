package org.sparkformer.data;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Datasets with files that are not as they were written. */
class DamagedDatasetTest {
  private final Configuration configuration = new Configuration();
  @TempDir private Path folder;

  @Test
  void namesTheShardThatHasAFlippedBit() throws IOException {
    String dataset = LinesDataset.build(configuration, folder);
    Path shard = Path.of(dataset, "train-00002.bin");
    byte[] bytes = Files.readAllBytes(shard);
    bytes[17] ^= 4;
    Files.write(shard, bytes);
    CorruptDatasetException error =
        assertThrows(
            CorruptDatasetException.class, () -> TokenDataset.open(configuration, dataset));
    assertTrue(error.getMessage().contains("train-00002.bin"), error.getMessage());
    assertTrue(error.getMessage().contains("CRC32C"), error.getMessage());
  }

  /**
   * @param hadoops whether Hadoop's own checksum files are there, which not every file system has
   */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aFlippedByteInAnyFileIsFound(boolean hadoops) throws IOException {
    Path dataset = Path.of(LinesDataset.build(configuration, folder));
    List<Path> files = new ArrayList<>();
    try (var all = Files.list(dataset)) {
      for (Path file : all.toList()) {
        if (!file.toString().endsWith(".crc")) {
          files.add(file);
        } else if (!hadoops) {
          Files.delete(file);
        }
      }
    }
    Random random = new Random(9);
    for (Path file : files) {
      byte[] whole = Files.readAllBytes(file);
      for (int trial = 0; trial < 3 && whole.length > 0; trial++) {
        assertFlipIsFound(dataset, file, whole, random.nextInt(whole.length));
      }
    }
    TokenDataset.open(configuration, dataset.toString()).close();
  }

  @Test
  void everyFlippedByteOfTheManifestIsFound() throws IOException {
    Path dataset = Path.of(LinesDataset.build(configuration, folder));
    Files.deleteIfExists(dataset.resolve(".manifest.json.crc"));
    Path manifest = dataset.resolve(DatasetManifest.FILE_NAME);
    byte[] whole = Files.readAllBytes(manifest);
    for (int at = 0; at < whole.length; at++) {
      byte[] damaged = whole.clone();
      damaged[at] ^= (byte) (1 << at % 7);
      String text = new String(damaged, StandardCharsets.UTF_8);
      assertThrows(
          CorruptDatasetException.class, () -> DatasetManifest.parse("m", text), "byte " + at);
    }
  }

  private void assertFlipIsFound(Path dataset, Path file, byte[] whole, int at) throws IOException {
    byte[] damaged = whole.clone();
    damaged[at] ^= 4;
    Files.write(file, damaged);
    assertThrows(
        CorruptDatasetException.class,
        () -> TokenDataset.open(configuration, dataset.toString()),
        file + " at " + at);
    Files.write(file, whole);
  }

  @Test
  void namesTheShardThatIsTooShortOrMissing() throws IOException {
    String dataset = LinesDataset.build(configuration, folder);
    Path shard = Path.of(dataset, "validation-00001.idx");
    byte[] bytes = Files.readAllBytes(shard);
    Files.write(shard, Arrays.copyOf(bytes, bytes.length - 1));
    CorruptDatasetException tooShort =
        assertThrows(
            CorruptDatasetException.class,
            () -> TokenDataset.open(configuration, dataset, TokenDataset.Verification.SIZES));
    assertTrue(
        tooShort.getMessage().contains("found %,d bytes".formatted(bytes.length - 1)),
        tooShort.getMessage());
    Files.delete(shard);
    CorruptDatasetException missing =
        assertThrows(
            CorruptDatasetException.class, () -> TokenDataset.open(configuration, dataset));
    assertTrue(missing.getMessage().contains("no such file"), missing.getMessage());
  }

  @Test
  void aManifestAllowsNoMoreTokensThanTheTokenizerHas() throws IOException {
    String uri = LinesDataset.build(configuration, folder);
    Files.deleteIfExists(Path.of(uri, ".manifest.json.crc"));
    Path manifest = Path.of(uri, DatasetManifest.FILE_NAME);
    String honest = SealedJson.open(Files.readString(manifest)).orElseThrow();
    String size = "\"vocabulary_size\" : " + LinesDataset.BYTES.vocabularySize();
    assertTrue(honest.contains(size), honest);
    Files.writeString(manifest, SealedJson.seal(honest.replace(size, size + "0")));
    CorruptDatasetException error =
        assertThrows(CorruptDatasetException.class, () -> TokenDataset.open(configuration, uri));
    assertTrue(error.getMessage().contains("the tokenizer's"), error.getMessage());
  }

  /** Where checksums are not looked at, or are right. */
  @Test
  void whatIsNoTokenIsNotHandedOut() throws IOException {
    String uri = LinesDataset.build(configuration, folder);
    Path shard = Path.of(uri, "train-00000.bin");
    byte[] bytes = Files.readAllBytes(shard);
    bytes[7] = (byte) 0x80;
    Files.write(shard, bytes);
    try (TokenDataset dataset =
        TokenDataset.open(configuration, uri, TokenDataset.Verification.SIZES)) {
      int[] tokens = new int[4];
      dataset.read(Split.TRAIN, 0, tokens, 0, 3);
      CorruptDatasetException error =
          assertThrows(
              CorruptDatasetException.class, () -> dataset.read(Split.TRAIN, 0, tokens, 0, 4));
      assertTrue(error.getMessage().contains("train-00000.bin is corrupt"), error.getMessage());
      assertTrue(error.getMessage().contains(" at 3;"), error.getMessage());
    }
  }

  @Test
  void refusesATokenizerThatIsNotTheDatasets() throws IOException {
    String uri = LinesDataset.build(configuration, folder);
    try (TokenDataset dataset = TokenDataset.open(configuration, uri)) {
      dataset.requireTokenizer(LinesDataset.BYTES, "here");
      Tokenizer other = new CharacterTokenizer(new int[] {'a'});
      IllegalArgumentException error =
          assertThrows(
              IllegalArgumentException.class,
              () -> dataset.requireTokenizer(other, "model/tokenizer.json"));
      assertTrue(error.getMessage().contains("model/tokenizer.json"), error.getMessage());
    }
    Tokenizers.save(
        configuration, new CharacterTokenizer(new int[] {'a'}), uri + "/tokenizer.json");
    CorruptDatasetException replaced =
        assertThrows(CorruptDatasetException.class, () -> TokenDataset.open(configuration, uri));
    assertTrue(replaced.getMessage().contains("tokenizer.json"), replaced.getMessage());
  }

  @Test
  void refusesAFolderWithoutManifestAndABrokenOne() throws IOException {
    FileNotFoundException missing =
        assertThrows(
            FileNotFoundException.class, () -> TokenDataset.open(configuration, folder.toString()));
    assertTrue(missing.getMessage().contains("manifest.json"), missing.getMessage());
    Files.writeString(folder.resolve("manifest.json"), "{\"format\": 3");
    assertThrows(
        CorruptDatasetException.class, () -> TokenDataset.open(configuration, folder.toString()));
  }
}
