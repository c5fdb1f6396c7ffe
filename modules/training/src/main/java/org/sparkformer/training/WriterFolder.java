package org.sparkformer.training;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;

/**
 * {@code writer/} in a run's folder: {@code 00000007.json}, the claim with the fencing token 7, and
 * {@code 00000007.alive}, its holder's sign of life. The highest claim holds the folder; a claim is
 * made by creating its file, which of several processes one alone achieves.
 */
record WriterFolder(RunFolder run, RunFolder folder) {
  private static final Pattern CLAIM = Pattern.compile("(\\d{8,18})\\.json");

  /** A sign of life. */
  record Beat(long count, boolean released, String time) {}

  static WriterFolder of(RunFolder run) {
    return new WriterFolder(run, run.folder("writer"));
  }

  /** The highest token; 0 where there is none. */
  long newest() throws IOException {
    List<Long> tokens = tokens();
    return tokens.isEmpty() ? 0 : Collections.max(tokens);
  }

  private List<Long> tokens() throws IOException {
    List<Long> tokens = new ArrayList<>();
    for (FileStatus status : folder.list()) {
      Matcher matcher = CLAIM.matcher(status.getPath().getName());
      if (matcher.matches()) {
        tokens.add(Long.parseLong(matcher.group(1)));
      }
    }
    return tokens;
  }

  /** The claim with a token; empty where it cannot be read, for instance because it was removed. */
  Optional<WriterClaim> claim(long token) throws IOException {
    Optional<byte[]> json = folder.read(claimFile(token));
    try {
      return json.isPresent()
          ? Optional.of(Json.read(json.get(), WriterClaim.class))
          : Optional.empty();
    } catch (com.fasterxml.jackson.core.JsonProcessingException unreadable) {
      return Optional.empty();
    }
  }

  /**
   * Tries to become the holder.
   *
   * @return false if another process has made a claim with this token or a higher one
   */
  boolean tryClaim(WriterClaim claim) throws IOException {
    byte[] json = Json.pretty(claim);
    folder.fileSystem().mkdirs(folder.path());
    try {
      folder.commit(claimFile(claim.token()), json);
    } catch (IOException refused) {
      if (!folder.exists(claimFile(claim.token()))) {
        throw refused;
      }
      return false;
    }
    return newest() == claim.token();
  }

  /** Replaces the holder's sign of life. */
  void beat(long token, long count, boolean released) throws IOException {
    folder.replace(
        beatFile(token), Json.pretty(new Beat(count, released, Instant.now().toString())));
  }

  /** The holder's last sign of life; empty before the first. */
  Optional<Beat> beat(long token) throws IOException {
    Optional<byte[]> json = folder.read(beatFile(token));
    try {
      return json.isPresent() ? Optional.of(Json.read(json.get(), Beat.class)) : Optional.empty();
    } catch (com.fasterxml.jackson.core.JsonProcessingException halfWritten) {
      return Optional.empty();
    }
  }

  /**
   * Removes older claims, and what was about to be renamed: an earlier holder that wakes up between
   * looking at its claim and renaming finds nothing to rename.
   */
  void removeOlder(long token) throws IOException {
    for (FileStatus status : run.list()) {
      deleteTemporary(status.getPath());
    }
    for (FileStatus status : folder.list()) {
      deleteTemporary(status.getPath());
    }
    for (long older : tokens()) {
      if (older < token) {
        folder.fileSystem().delete(folder.resolve(claimFile(older)), false);
        folder.fileSystem().delete(folder.resolve(beatFile(older)), false);
      }
    }
  }

  private void deleteTemporary(Path path) throws IOException {
    if (path.getName().endsWith(FileCommit.TEMPORARY)) {
      run.fileSystem().delete(path, false);
    }
  }

  private static String claimFile(long token) {
    return "%08d.json".formatted(token);
  }

  private static String beatFile(long token) {
    return "%08d.alive".formatted(token);
  }
}
