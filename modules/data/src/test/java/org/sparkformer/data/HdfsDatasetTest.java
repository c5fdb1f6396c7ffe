package org.sparkformer.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HdfsDatasetTest {
  @TempDir private Path folder;

  @Test
  void buildsAndReadsOnHdfs() throws IOException {
    Configuration configuration = new Configuration();
    try (MiniDFSCluster cluster =
        new MiniDFSCluster.Builder(configuration, folder.toFile()).numDataNodes(1).build()) {
      String root = "hdfs://localhost:" + cluster.getNameNodePort();
      String text =
          "Ein Text auf HDFS, größer als ein Block des Zwischenspeichers. ".repeat(12_000);
      write(cluster.getFileSystem(), "/corpus/one.txt", text);
      Tokenizer tokenizer = new CharacterTokenizer(text.codePoints().sorted().distinct().toArray());
      String output = root + "/datasets/one";
      LocalDataset.build(new Configuration(), Corpus.of(root + "/corpus"), output, tokenizer, 1000);
      assertThrows(
          IllegalArgumentException.class,
          () -> DatasetWriter.create(new Configuration(), output, false));
      assertHolds(output, tokenizer.encode(text));
      Tokenizer other =
          new CharacterTokenizer(("*" + text).codePoints().sorted().distinct().toArray());
      overwrite(root + "/corpus", output, other);
      assertHolds(output, other.encode(text));
      corrupt(cluster.getFileSystem(), "/datasets/one/validation-00000.2.bin");
      assertThrows(
          CorruptDatasetException.class, () -> TokenDataset.open(new Configuration(), output));
    }
  }

  private static void overwrite(String corpus, String output, Tokenizer tokenizer)
      throws IOException {
    var folder = new org.apache.hadoop.fs.Path(output);
    LocalDataset.build(
        new Configuration(),
        Corpus.of(corpus),
        new LocalDataset.Place(HadoopFiles.of(folder, new Configuration()), folder),
        tokenizer,
        1000);
  }

  private static void assertHolds(String uri, int[] expected) throws IOException {
    try (TokenDataset dataset = TokenDataset.open(new Configuration(), uri)) {
      int train = (int) dataset.tokens(Split.TRAIN);
      assertEquals(expected.length, train + dataset.tokens(Split.VALIDATION));
      int[] tokens = new int[expected.length];
      dataset.read(Split.TRAIN, 0, tokens, 0, train);
      dataset.read(Split.VALIDATION, 0, tokens, train, expected.length - train);
      assertArrayEquals(expected, tokens);
      int[] middle = new int[1000];
      dataset.read(Split.TRAIN, 130_800, middle, 0, 1000);
      assertArrayEquals(IntStream.range(130_800, 131_800).map(i -> expected[i]).toArray(), middle);
    }
  }

  private static void corrupt(FileSystem fileSystem, String path) throws IOException {
    org.apache.hadoop.fs.Path file = new org.apache.hadoop.fs.Path(path);
    int length = (int) fileSystem.getFileStatus(file).getLen();
    try (OutputStream stream = fileSystem.create(file, true)) {
      stream.write(new byte[length]);
    }
  }

  private static void write(FileSystem fileSystem, String path, String text) throws IOException {
    try (OutputStream stream = fileSystem.create(new org.apache.hadoop.fs.Path(path))) {
      stream.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }
}
