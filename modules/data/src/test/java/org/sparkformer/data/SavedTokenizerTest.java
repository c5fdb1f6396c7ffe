package org.sparkformer.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.util.Progressable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SavedTokenizerTest {
  private static final Tokenizer FIRST = new CharacterTokenizer(new int[] {'a'});
  private static final Tokenizer SECOND = new CharacterTokenizer(new int[] {'a', 'b'});

  private final Configuration configuration = new Configuration();
  @TempDir private Path folder;

  @Test
  void takesThePlaceOfTheOneBefore() throws IOException {
    String file = folder.resolve("new/tokenizer.json").toString();
    Tokenizers.prepare(configuration, file);
    for (Tokenizer tokenizer : List.of(FIRST, SECOND)) {
      Tokenizers.save(configuration, tokenizer, file);
      assertEquals(tokenizer.digest(), Tokenizers.load(configuration, file).digest());
    }
  }

  @Test
  void aFullDiskLeavesTheOneBefore() throws IOException {
    String file = folder.resolve("tokenizer.json").toString();
    Tokenizers.save(configuration, FIRST, file);
    Configuration full = new Configuration();
    full.set("fs.file.impl", FullDisk.class.getName());
    full.setBoolean("fs.file.impl.disable.cache", true);
    assertThrows(IOException.class, () -> Tokenizers.save(full, SECOND, file));
    assertEquals(FIRST.digest(), Tokenizers.load(configuration, file).digest());
    try (Stream<Path> files = Files.list(folder)) {
      List<String> names = files.map(each -> each.getFileName().toString()).sorted().toList();
      assertEquals(List.of("tokenizer.json"), names);
    }
  }

  @Test
  void isRefusedBeforeItIsLearnedWhereItCannotBeKept() throws IOException {
    for (String taken : List.of(folder.toString(), "/dev/null")) {
      IllegalArgumentException error =
          assertThrows(
              IllegalArgumentException.class, () -> Tokenizers.prepare(configuration, taken));
      assertTrue(error.getMessage().startsWith(taken + " is not a file: "), error.getMessage());
    }
    Path file = Files.createFile(folder.resolve("file"));
    assertThrows(
        FileAlreadyExistsException.class,
        () -> Tokenizers.prepare(configuration, file.resolve("tokenizer.json").toString()));
  }

  /** The local files, but what is written fits nowhere. */
  public static final class FullDisk extends RawLocalFileSystem {
    @Override
    public FSDataOutputStream create(
        org.apache.hadoop.fs.Path file,
        boolean overwrite,
        int bufferSize,
        short replication,
        long blockSize,
        Progressable progress)
        throws IOException {
      super.create(file, overwrite, bufferSize, replication, blockSize, progress).close();
      OutputStream full =
          new OutputStream() {
            @Override
            public void write(int value) throws IOException {
              throw new IOException("No space left on device");
            }
          };
      return new FSDataOutputStream(full, null);
    }
  }
}
