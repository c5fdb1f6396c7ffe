package org.sparkformer.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.testkit.CountedChanges;
import org.sparkformer.testkit.DyingFileSystem;
import org.sparkformer.testkit.DyingObjectStore;
import org.sparkformer.testkit.StoredObjects;

/** A dataset that takes another's place, with a fault at each operation of that in turn. */
class OverwrittenDatasetTest {
  private static final Configuration HADOOP = new Configuration();
  private static final int OLD_TOKENS = 80;
  private static final int NEW_TOKENS = 120;
  private static final Tokenizer OLD = new CharacterTokenizer(new int[] {'\n', 'a', 'b'});
  private static final Tokenizer NEW = new CharacterTokenizer(new int[] {'\n', 'a', 'b', 'c'});

  @TempDir private Path folder;
  private Corpus oldText;
  private Corpus newText;

  /** Of local files, so that what is left can be listed. */
  private static final StoredObjects OBJECTS = new StoredObjects(Path.of("/"));

  /** Makes a file system of which an operation fails, counted from 1. */
  private interface Faulty {
    Attempt at(int operation) throws IOException;
  }

  /** A file system and the one below it that fails. */
  private record Attempt(FileSystem files, CountedChanges faults) {}

  @BeforeEach
  void writeTexts() throws IOException {
    oldText = lines("old.txt", "aab\n".repeat(20));
    newText = lines("new.txt", "abc\nb\n".repeat(20));
  }

  private Corpus lines(String name, String text) throws IOException {
    Path file = Files.writeString(folder.resolve(name), text);
    return new Corpus(List.of(file.toString()), InputFormat.LINES, "text");
  }

  @Test
  void deathAtAnyChangeOfALocalDiskLeavesTheOldOneOrTheNew() throws IOException {
    assertOneOfTheTwo(OLD, "", at -> attempt(DyingFileSystem.of(DyingFileSystem.local(), at)));
  }

  @Tag("soak")
  @Test
  void aFailureAtAnyOperationOfALocalDiskLeavesTheOldOneOrTheNew() throws IOException {
    assertOneOfTheTwo(
        OLD, "", at -> attempt(DyingFileSystem.failingOnce(DyingFileSystem.local(), at)));
  }

  /** With Hadoop's checksum files, as datasets are written. */
  private static Attempt attempt(DyingFileSystem disk) {
    return new Attempt(new LocalDisk(new LocalFileSystem(disk)), disk);
  }

  @Test
  void deathAtAnyChangeOfAnObjectStoreLeavesTheOldOneOrTheNew() throws IOException {
    assertOneOfTheTwo(OLD, "objects://store", at -> attempt(new DyingObjectStore(OBJECTS, at)));
  }

  /** Of which nothing is written: it is the old one's file. */
  @Test
  void deathAtAnyChangeLeavesTheTokenizerThatBothHave() throws IOException {
    assertOneOfTheTwo(NEW, "objects://store", at -> attempt(new DyingObjectStore(OBJECTS, at)));
  }

  /** Where the dataset's own has a number, that file is the user's. */
  @Test
  void aTokenizerThatWasPutThereOutlivesABuildThatFails() throws IOException {
    Path dataset = buildOld(OLD);
    var place = place("", dataset);
    assertTrue(overwrites(HadoopFiles.of(place, HADOOP), place));
    Path put = Files.writeString(dataset.resolve("tokenizer.json"), NEW.toJson());
    assertFalse(
        overwrites(
            attempt(DyingFileSystem.failingOnce(DyingFileSystem.local(), 40)).files(), place));
    assertEquals(NEW.toJson(), Files.readString(put));
  }

  @Test
  void aFailureAtAnyOperationOfAnObjectStoreLeavesTheOldOneOrTheNew() throws IOException {
    assertOneOfTheTwo(
        OLD, "objects://store", at -> attempt(DyingObjectStore.failingOnce(OBJECTS, at)));
  }

  private static Attempt attempt(DyingObjectStore store) {
    return new Attempt(store, store);
  }

  /**
   * @param first the old one's
   * @param root of the file system, through which the local folder is seen
   */
  private void assertOneOfTheTwo(Tokenizer first, String root, Faulty faulty) throws IOException {
    Path old = buildOld(first);
    Set<List<String>> found = new HashSet<>();
    int fault = 0;
    Attempt attempt;
    do {
      Path dataset = copy(old, "fault-" + ++fault);
      var place = place(root, dataset);
      attempt = faulty.at(fault);
      boolean replaced = overwrites(attempt.files(), place);
      boolean isNew = isNew(place, first);
      assertTrue(isNew || !replaced, "not replaced at " + fault);
      // What becomes of the same files again is known.
      if (found.add(files(dataset))) {
        assertTrue(overwrites(HadoopFiles.of(place, HADOOP), place));
        assertTrue(isNew(place, first), "fault " + fault);
        assertNothingElse(place, dataset);
      }
    } while (attempt.faults().changes() >= fault);
    assertTrue(fault > 20, "only " + fault);
  }

  /** The manifest with a checksum file of Hadoop's, as earlier versions wrote it. */
  private Path buildOld(Tokenizer tokenizer) throws IOException {
    Path old = folder.resolve("old");
    FileSystem disk = FileSystem.getLocal(HADOOP);
    build(new LocalDisk(disk), place("", old), oldText, tokenizer);
    Path manifest = old.resolve(DatasetManifest.FILE_NAME);
    byte[] json = Files.readAllBytes(manifest);
    OutputStreams.writeAndClose(
        disk.create(place("", manifest), true), stream -> stream.write(json));
    assertTrue(Files.exists(old.resolve(".manifest.json.crc")));
    return old;
  }

  private static org.apache.hadoop.fs.Path place(String root, Path dataset) {
    return new org.apache.hadoop.fs.Path(root + dataset);
  }

  private Path copy(Path from, String name) throws IOException {
    Path to = Files.createDirectory(folder.resolve(name));
    for (String file : files(from)) {
      Files.copy(from.resolve(file), to.resolve(file));
    }
    return to;
  }

  private static List<String> files(Path dataset) throws IOException {
    try (Stream<Path> files = Files.list(dataset)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private boolean overwrites(FileSystem files, org.apache.hadoop.fs.Path place) {
    try {
      build(files, place, newText, NEW);
      return true;
    } catch (IOException failed) {
      return false;
    }
  }

  private static void build(
      FileSystem files, org.apache.hadoop.fs.Path place, Corpus text, Tokenizer tokenizer)
      throws IOException {
    LocalDataset.build(HADOOP, text, new LocalDataset.Place(files, place), tokenizer, 1000);
  }

  /** Whether it is the new one, whole, or else the old one. */
  private static boolean isNew(org.apache.hadoop.fs.Path place, Tokenizer first)
      throws IOException {
    try (TokenDataset found = TokenDataset.open(HADOOP, place.toString())) {
      long tokens = found.tokens(Split.TRAIN) + found.tokens(Split.VALIDATION);
      assertTrue(tokens == OLD_TOKENS || tokens == NEW_TOKENS, tokens + " tokens");
      Tokenizer expected = tokens == OLD_TOKENS ? first : NEW;
      assertEquals(expected.digest(), found.tokenizerDigest());
      assertEquals(expected.digest(), Tokenizers.load(HADOOP, place.toString()).digest());
      return tokens == NEW_TOKENS;
    }
  }

  private static void assertNothingElse(org.apache.hadoop.fs.Path place, Path dataset)
      throws IOException {
    Set<String> expected = new TreeSet<>(Set.of(DatasetManifest.FILE_NAME));
    try (TokenDataset found = TokenDataset.open(HADOOP, place.toString())) {
      expected.add(found.manifest().tokenizer().name());
      for (Split split : Split.values()) {
        for (Shard shard : found.manifest().split(split).shards()) {
          expected.addAll(List.of(shard.tokens().name(), shard.documents().name()));
        }
      }
    }
    assertEquals(
        List.copyOf(expected),
        files(dataset).stream().filter(name -> !name.endsWith(".crc")).toList());
  }
}
