package org.sparkformer.app.configuration;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.app.InputException;
import org.sparkformer.testkit.AllocationLimit;

/** Any YAML file is a configuration or an input error. */
class ConfigurationFuzzTest {
  @TempDir static Path folder;

  static Stream<byte[]> files() {
    return Stream.of(
            "model:\n  layers: 2\n  heads: 2\n  width: 16\ndata:\n  input: [a, 'b']\n",
            "training: {steps: 1e-3, learning_rate: 1e999999999}\n",
            "training: {steps: '1e999999999'}\n",
            "training: {learning_rate: '1e99999999999999999999'}\n",
            "model: &m {layers: 1}\ndata: *m\n",
            "a: [1\n",
            "- 1\n",
            "name: !!java.util.Date 2001-01-01\n",
            "null\n")
        .map(yaml -> yaml.getBytes(StandardCharsets.UTF_8));
  }

  @MethodSource("files")
  @FuzzTest
  void isAConfigurationOrAnInputError(byte[] yaml) throws Exception {
    Path file = Files.write(folder.resolve("fuzzed.yaml"), yaml);
    AllocationLimit.within(
        yaml.length,
        () -> {
          try {
            return new ConfigurationReader().read(file.toString(), List.of());
          } catch (InputException declared) {
            return List.of();
          }
        });
  }
}
