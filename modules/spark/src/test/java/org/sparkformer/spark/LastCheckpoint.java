package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.sparkformer.training.CheckpointState;
import org.sparkformer.training.Json;

/** The newest checkpoint of a run on local disks. */
record LastCheckpoint(Path folder) {
  static LastCheckpoint of(Path run) throws IOException {
    try (Stream<Path> all = Files.list(run.resolve("checkpoints"))) {
      return new LastCheckpoint(all.max(Path::compareTo).orElseThrow());
    }
  }

  /**
   * Weights and moments to the last bit, the number of the next sample, what the losses tell of the
   * next, and the steps skipped: all but the time it took. Of as many ranks, for each writes its
   * part of the moments.
   */
  void assertSameAs(LastCheckpoint other) throws IOException {
    assertEquals(folder.getFileName(), other.folder.getFileName());
    List<String> tensors = tensors();
    assertTrue(tensors.size() > 1, tensors.toString());
    assertEquals(tensors, other.tensors());
    for (String file : tensors) {
      assertArrayEquals(
          Files.readAllBytes(folder.resolve(file)),
          Files.readAllBytes(other.folder.resolve(file)),
          file);
    }
    assertEquals(state(), other.state());
  }

  private List<String> tensors() throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".safetensors"))
          .sorted()
          .toList();
    }
  }

  private JsonNode state() throws IOException {
    JsonNode state = Json.tree(Files.readAllBytes(folder.resolve(CheckpointState.FILE_NAME)));
    assertTrue(state.get("next_sample").asLong() > 0, state.toString());
    ((ObjectNode) state.get("progress")).remove("wall_seconds");
    return state;
  }
}
