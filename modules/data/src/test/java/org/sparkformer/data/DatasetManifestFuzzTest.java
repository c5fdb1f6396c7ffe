package org.sparkformer.data;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.testkit.AllocationLimit;

/** Any {@code manifest.json} is that of a dataset or refused as corrupt. */
class DatasetManifestFuzzTest {
  private static final Configuration HADOOP = new Configuration(false);

  @TempDir static Path folder;

  static Stream<byte[]> manifests() {
    String file = "{\"name\":\"%s\",\"bytes\":0,\"crc32c\":\"00000000\"}";
    String shard =
        "{\"tokens\":"
            + file.formatted("train-00000.bin")
            + ",\"documents\":"
            + file.formatted("../train")
            + ",\"token_count\":0,\"document_count\":0}";
    String split = "{\"tokens\":0,\"documents\":0,\"text_bytes\":0,\"shards\":[%s]}";
    String whole =
        "{\"format\":\"sparkformer-dataset\",\"version\":1,\"tokenizer\":"
            + file.formatted("tokenizer.json")
            + ",\"tokenizer_digest\":\"\",\"vocabulary_size\":1,\"token_bytes\":2,"
            + "\"replaced_characters\":0,\"empty_documents\":0,\"train\":%s,\"validation\":%s}";
    return Stream.of(
            whole.formatted(split.formatted(shard), split.formatted("")),
            whole.formatted(split.formatted("null"), "null"),
            whole.replace("tokenizer.json", "").formatted("null", split.formatted("")),
            whole.replace("tokenizer.json", "a:b").formatted(split, split.formatted("")),
            "null",
            "{}")
        .map(json -> json.getBytes(StandardCharsets.UTF_8));
  }

  @MethodSource("manifests")
  @FuzzTest
  void isADatasetsOrCorrupt(byte[] manifest) throws Exception {
    Files.write(folder.resolve(DatasetManifest.FILE_NAME), manifest);
    AllocationLimit.within(
        manifest.length,
        () -> {
          open();
          return List.of();
        });
  }

  private static void open() throws IOException {
    try {
      TokenDataset.open(HADOOP, folder.toUri().toString()).close();
    } catch (CorruptDatasetException | FileNotFoundException declared) {
      return;
    }
  }
}
