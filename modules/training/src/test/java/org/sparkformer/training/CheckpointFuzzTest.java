package org.sparkformer.training;

import com.code_intelligence.jazzer.junit.FuzzTest;
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

/** Any manifest is that of a whole checkpoint or corrupt; any state is one or no JSON of one. */
class CheckpointFuzzTest {
  @TempDir static Path folder;

  static Stream<byte[]> files() {
    return Stream.of(
            manifest(1, "{\"name\":\"weights\",\"bytes\":0,\"crc32c\":\"00000000\"}"),
            manifest(1, "{\"name\":\"../../x\",\"bytes\":-1,\"crc32c\":null}"),
            manifest(1, "{\"bytes\":-1}"),
            manifest(1, "{\"name\":\"\",\"bytes\":1,\"crc32c\":\"\"}"),
            manifest(1, "{\"name\":\"a:b\",\"bytes\":1,\"crc32c\":\"\"}"),
            manifest(1, "null"),
            manifest(2, ""),
            "{\"progress\":null,\"next_sample\":1,\"seed\":-9,\"dataset\":\"\"}",
            "null")
        .map(json -> json.getBytes(StandardCharsets.UTF_8));
  }

  @MethodSource("files")
  @FuzzTest
  void isReadOrCorrupt(byte[] json) throws Exception {
    AllocationLimit.within(json.length, () -> verify(json));
    AllocationLimit.within(json.length, () -> readState(json));
  }

  private static Object verify(byte[] manifest) throws Exception {
    CheckpointStore store =
        new CheckpointStore(RunFolder.of(new Configuration(false), folder.toUri().toString()), 1);
    Path checkpoint = folder.resolve("checkpoints/step-00000001");
    Files.createDirectories(checkpoint);
    Files.write(checkpoint.resolve(CheckpointManifest.FILE_NAME), manifest);
    try {
      return store.newestWhole(message -> {});
    } catch (CorruptCheckpointException declared) {
      return List.of();
    }
  }

  private static Object readState(byte[] json) throws Exception {
    try {
      return Json.read(json, CheckpointState.class);
    } catch (IOException declared) {
      return List.of();
    }
  }

  private static String manifest(int step, String files) {
    return "{\"format\":\"sparkformer-checkpoint\",\"version\":1,\"step\":%d,\"files\":[%s]}"
        .formatted(step, files);
  }
}
