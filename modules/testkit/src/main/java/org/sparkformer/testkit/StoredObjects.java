package org.sparkformer.testkit;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * What a {@link DyingObjectStore} holds, and what outlives its user: a local file each, which is
 * there whole or not at all.
 */
public final class StoredObjects {
  private static final String UPLOADING = ".uploading-";

  private final Path root;

  /**
   * @param root folder under which an object's name is a path
   */
  public StoredObjects(Path root) {
    this.root = root;
  }

  /** An object; null where there is none. */
  public byte[] get(String name) throws IOException {
    Path file = file(name);
    try {
      return Files.isDirectory(file) ? null : Files.readAllBytes(file);
    } catch (NoSuchFileException absent) {
      return null;
    }
  }

  /** Puts an object where there may be one. */
  public void put(String name, byte[] bytes) throws IOException {
    Files.move(upload(name, bytes), file(name), StandardCopyOption.REPLACE_EXISTING);
  }

  /** Puts an object where there is none; false where there is. */
  boolean putIfAbsent(String name, byte[] bytes) throws IOException {
    Path uploaded = upload(name, bytes);
    try {
      Files.createLink(file(name), uploaded);
      return true;
    } catch (FileAlreadyExistsException taken) {
      return false;
    } finally {
      Files.delete(uploaded);
    }
  }

  /** False where there is none. */
  boolean remove(String name) throws IOException {
    return get(name) != null && Files.deleteIfExists(file(name));
  }

  /** Names of the objects that are called this, or are under it. */
  List<String> keys(String name) throws IOException {
    if (!Files.exists(file(name))) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(file(name))) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> !file.getFileName().toString().startsWith(UPLOADING))
          .map(file -> "/" + root.relativize(file))
          .sorted()
          .toList();
    }
  }

  private Path upload(String name, byte[] bytes) throws IOException {
    Path folder = Files.createDirectories(file(name).getParent());
    return Files.write(folder.resolve(UPLOADING + UUID.randomUUID()), bytes);
  }

  private Path file(String name) {
    return root.resolve(name.substring(1));
  }
}
