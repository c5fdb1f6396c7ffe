package org.sparkformer.opencl.contract;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.sparkformer.tensor.ops.Operation;

/** Finds the operations by looking at the classes beside {@link Operation}. */
final class OperationClasses {
  private OperationClasses() {}

  static Set<String> names() {
    try {
      URI location = Operation.class.getProtectionDomain().getCodeSource().getLocation().toURI();
      Path path = Path.of(location);
      if (Files.isDirectory(path)) {
        return names(path);
      }
      try (FileSystem jar = FileSystems.newFileSystem(path, Map.of())) {
        return names(jar.getPath("/"));
      }
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Set<String> names(Path root) throws IOException {
    String folder = Operation.class.getPackageName().replace('.', '/');
    try (Stream<Path> files = Files.list(root.resolve(folder))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(file -> file.endsWith(".class") && !file.contains("$"))
          .map(file -> file.substring(0, file.length() - ".class".length()))
          .filter(OperationClasses::isOperation)
          .collect(Collectors.toSet());
    }
  }

  private static boolean isOperation(String name) {
    try {
      Class<?> type = Class.forName(Operation.class.getPackageName() + "." + name);
      return type.isRecord() && Operation.class.isAssignableFrom(type);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }
}
