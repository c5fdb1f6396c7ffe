package org.sparkformer.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.StreamCapabilities;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class LocalDiskTest {
  private static final byte[] BYTES = new byte[10_000];

  @TempDir Path folder;

  @Test
  @EnabledOnOs(value = OS.LINUX, disabledReason = "/dev/full is Linux's")
  void aFullDiskIsAnIOException() throws Exception {
    try (FileSystem disk = disk()) {
      FSDataOutputStream full = disk.create(new org.apache.hadoop.fs.Path("/dev/full"), true);
      IOException thrown = assertThrows(IOException.class, () -> full.write(BYTES));
      assertEquals("/dev/full: No space left on device", thrown.getMessage());
    }
  }

  @Test
  void readingWhileInterruptedIsAnIOException() throws Exception {
    Files.write(folder.resolve("file"), BYTES);
    try (FileSystem disk = disk();
        FSDataInputStream stream = disk.open(path("file"))) {
      Thread.currentThread().interrupt();
      assertThrows(ClosedByInterruptException.class, () -> stream.readFully(5, new byte[10]));
      assertTrue(Thread.interrupted());
    }
  }

  @Test
  void filesAreReadAndWrittenAsHadoopDoes() throws Exception {
    for (int i = 0; i < BYTES.length; i++) {
      BYTES[i] = (byte) i;
    }
    try (FileSystem disk = disk()) {
      try (FSDataOutputStream stream = disk.create(path("file"), true)) {
        assertTrue(stream.hasCapability(StreamCapabilities.HSYNC));
        stream.write(BYTES, 0, 9_999);
        stream.write(BYTES[9_999]);
        stream.hsync();
        assertEquals(BYTES.length, Files.size(folder.resolve("file")));
      }
      try (FSDataInputStream stream = disk.open(path("file"))) {
        stream.seek(77);
        assertEquals(77, stream.read());
        assertEquals(78, stream.getPos());
        assertArrayEquals(java.util.Arrays.copyOfRange(BYTES, 78, 10_000), stream.readAllBytes());
      }
    }
  }

  /** Hadoop's paths are URIs, of which Java's files take none of such letters. */
  @Test
  @EnabledIfSystemProperty(
      named = "sun.jnu.encoding",
      matches = "(?i)utf-?8",
      disabledReason = "such names cannot be made here")
  void namesMayHaveAnyLetters() throws Exception {
    Path texts = Files.createDirectory(folder.resolve("B\u00fccher"));
    Files.write(texts.resolve("\u4e00.txt"), BYTES);
    try (FileSystem disk = disk()) {
      var place = path(texts.getFileName().toString());
      assertEquals("\u4e00.txt", disk.listStatus(place)[0].getPath().getName());
      assertEquals(BYTES.length, disk.getFileStatus(disk.listStatus(place)[0].getPath()).getLen());
      assertFalse(disk.exists(new org.apache.hadoop.fs.Path(place, "\u4e8c.txt")));
    }
  }

  /** Before it is expanded, a pattern is looked for as it is. */
  @Test
  void aPatternOfManyNamesIsNoFile() throws Exception {
    try (FileSystem disk = disk()) {
      assertFalse(disk.exists(path("{" + "part-00000.txt,".repeat(30) + "}")));
    }
  }

  private static FileSystem disk() throws IOException {
    return new LocalDisk(FileSystem.newInstanceLocal(new Configuration(false)).getRaw());
  }

  private org.apache.hadoop.fs.Path path(String name) {
    return new org.apache.hadoop.fs.Path(folder.resolve(name).toString());
  }
}
