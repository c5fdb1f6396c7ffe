package org.sparkformer.app.configuration;

import java.io.IOException;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

/** The configurations that the jar carries. */
final class Presets {
  private static final String FOLDER = "conf/";
  private static final String ENDING = ".yaml";

  private Presets() {}

  /** Their names, sorted. */
  static List<String> names() throws IOException {
    URL one = Presets.class.getResource("/" + FOLDER + "quickstart" + ENDING);
    if (one.openConnection() instanceof JarURLConnection entry) {
      entry.setUseCaches(false);
      try (JarFile jar = entry.getJarFile()) {
        return names(jar.stream().map(ZipEntry::getName).filter(name -> name.startsWith(FOLDER)));
      }
    }
    try (Stream<Path> files = Files.list(Path.of(URI.create(one.toString())).getParent())) {
      return names(files.map(Path::toString));
    }
  }

  private static List<String> names(Stream<String> files) {
    return files
        .filter(file -> file.endsWith(ENDING))
        .map(file -> file.substring(file.lastIndexOf('/') + 1, file.length() - ENDING.length()))
        .sorted()
        .toList();
  }
}
