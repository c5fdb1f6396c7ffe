package org.sparkformer.training;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.testkit.AllocationLimit;
import org.sparkformer.training.configuration.RunConfiguration;

/**
 * Any record in a run's folder, and any report of a rank's files, is what its kind says or is taken
 * for none; which kind it is, the first byte says.
 */
class RunFolderFuzzTest {
  private static final RunConfiguration RUN =
      TinyRun.configuration(TinyRun.training().build(), 0.1);

  /** What Jackson, left alone, takes for UTF-32. */
  private static final String UTF_32 = "\0\0\0{\\\0\0\0";

  @TempDir static Path folder;

  /** What reads a record. */
  private enum Kind {
    CLAIM("writer/00000007.json"),
    BEAT("writer/00000007.alive"),
    SUMMARY(RunSummary.FILE_NAME),
    CONFIGURATION(CheckpointStore.CONFIGURATION),
    REPORT("report");

    private final String file;

    Kind(String file) {
      this.file = file;
    }

    byte[] seed(String json) {
      return ((char) ordinal() + json).getBytes(StandardCharsets.UTF_8);
    }
  }

  @BeforeAll
  static void makeWriterFolder() throws IOException {
    Files.createDirectories(folder.resolve("writer"));
  }

  static Stream<byte[]> files() {
    String claim = Json.line(WriterClaim.own(7, "a run"));
    String summary =
        Json.line(new RunSummary(RUN, 1, "java", 1, 6, 7, 0.5, 2, null, List.of(3), "0f"));
    String report =
        "{\"step\":2,\"files\":[{\"name\":\"a\",\"bytes\":1,\"crc32c\":\"0\"}],\"failure\":null}";
    return Stream.of(
        Kind.CLAIM.seed(claim),
        Kind.CLAIM.seed(claim.replaceFirst("\"pid\":\\d+", "\"pid\":-1")),
        Kind.CLAIM.seed("{\"token\":7}"),
        Kind.CLAIM.seed("null"),
        Kind.CLAIM.seed(UTF_32),
        Kind.BEAT.seed("{\"count\":3,\"released\":true,\"time\":\"\"}"),
        Kind.BEAT.seed("null"),
        Kind.BEAT.seed("{\"coun"),
        Kind.SUMMARY.seed(summary),
        Kind.SUMMARY.seed("{\"parameters\":1}"),
        Kind.SUMMARY.seed("null"),
        Kind.CONFIGURATION.seed(Json.line(RUN)),
        Kind.CONFIGURATION.seed("[]"),
        Kind.CONFIGURATION.seed(""),
        Kind.REPORT.seed(report),
        Kind.REPORT.seed("{\"step\":2}"),
        Kind.REPORT.seed("null"));
  }

  @MethodSource("files")
  @FuzzTest
  void isReadOrTakenForNone(byte[] input) throws Exception {
    if (input.length == 0) {
      return;
    }
    byte[] json = Arrays.copyOfRange(input, 1, input.length);
    Kind kind = Kind.values()[(input[0] & 0xff) % Kind.values().length];
    Files.write(folder.resolve(kind.file), json);
    AllocationLimit.within(json.length, () -> read(kind, json));
  }

  private static Object read(Kind kind, byte[] json) throws Exception {
    RunFolder run = RunFolder.of(new Configuration(false), folder.toUri().toString());
    WriterFolder writers = WriterFolder.of(run);
    return switch (kind) {
      case CLAIM -> writers.claim(7).map(claim -> claim.description() + claim.isGone());
      case BEAT -> writers.beat(7).map(WriterFolder.Beat::released);
      case SUMMARY -> {
        var finished = FinishedRun.in(run);
        yield finished.isPresent() && finished.get().answers(RUN);
      }
      case CONFIGURATION -> compare(json);
      case REPORT -> report(json);
    };
  }

  private static boolean compare(byte[] json) throws IOException {
    try {
      new ResumeCheck("fuzzed").requireSame(Json.tree(json), RUN);
      return true;
    } catch (IllegalArgumentException
        | com.fasterxml.jackson.core.JsonProcessingException declared) {
      return false;
    }
  }

  private static int report(byte[] json) throws IOException {
    try {
      ShardReport report = ShardReport.of(json);
      return report.failure() == null ? report.files().size() : report.failure().length();
    } catch (com.fasterxml.jackson.core.JsonProcessingException declared) {
      return 0;
    }
  }
}
