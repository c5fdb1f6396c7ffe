package org.sparkformer.app.configuration;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.sparkformer.app.InputException;

/**
 * The text of a configuration.
 *
 * @param label where it comes from, for messages
 * @param name of the run, if the text gives none
 */
public record ConfigurationSource(String label, String name, String text) {

  /**
   * Reads a file, or one of the presets that the jar carries, such as {@code gpt2}.
   *
   * @throws InputException when there is neither
   */
  public static ConfigurationSource find(String given) throws InputException {
    Path file = Path.of(given);
    try {
      if (Files.exists(file) && !Files.isDirectory(file)) {
        return new ConfigurationSource(given, nameOf(file), Files.readString(file));
      }
      return preset(given);
    } catch (CharacterCodingException noText) {
      throw new InputException(given + " is no YAML file: it is not UTF-8 text", noText);
    } catch (IOException unreadable) {
      throw new InputException("cannot read " + given + ": " + unreadable, unreadable);
    }
  }

  private static ConfigurationSource preset(String name) throws IOException, InputException {
    boolean plain = name.matches("[a-z0-9.-]+");
    try (InputStream stream =
        plain ? ConfigurationSource.class.getResourceAsStream("/conf/" + name + ".yaml") : null) {
      if (stream == null) {
        throw new InputException(
            "no configuration file "
                + name
                + ": give a YAML file, or a preset: "
                + String.join(", ", Presets.names()));
      }
      String text = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
      return new ConfigurationSource("preset " + name, name, text);
    }
  }

  private static String nameOf(Path file) {
    return file.getFileName().toString().replaceFirst("\\.ya?ml$", "");
  }
}
