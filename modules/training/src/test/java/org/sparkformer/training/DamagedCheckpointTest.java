package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.sparkformer.training.configuration.RunConfiguration;

/** Checkpoints with a byte that is not what was written. */
class DamagedCheckpointTest extends TinyRuns {
  private static final RunConfiguration CONFIGURATION =
      TinyRun.configuration(
          TinyRun.training().steps(7).checkpointInterval(2).logInterval(1).build(), 0.1);

  @Test
  void aFlippedByteInAnyFileOfTheNewestCheckpointIsFoundAndTheOneBeforeIsTaken() throws Exception {
    train("run", CONFIGURATION, 3);
    CheckpointStore store = new CheckpointStore(output("run"), 2);
    List<String> files = new ArrayList<>(store.files(7));
    assertEquals(3, files.stream().filter(OptimizerShard::isShard).count(), files.toString());
    files.add(CheckpointManifest.FILE_NAME);
    Random random = new Random(5);
    for (String name : files) {
      Path file = folder.resolve("run/checkpoints/step-00000007").resolve(name);
      byte[] whole = Files.readAllBytes(file);
      byte[] damaged = whole.clone();
      damaged[random.nextInt(whole.length)] ^= 4;
      Files.write(file, damaged);
      List<String> messages = new ArrayList<>();
      assertEquals(OptionalInt.of(6), store.newestWhole(messages::add), name);
      assertTrue(messages.get(0).contains("step-00000007/"), messages.toString());
      Files.write(file, whole);
    }
    assertEquals(OptionalInt.of(7), store.newestWhole(message -> {}));
  }

  @Test
  void aDamagedCheckpointIsPassedOverAloud() throws Exception {
    RunSummary straight = train("run", CONFIGURATION, 1);
    Path damaged = folder.resolve("run/checkpoints/step-00000007/model.safetensors");
    byte[] bytes = Files.readAllBytes(damaged);
    bytes[bytes.length - 3] ^= 1;
    Files.write(damaged, bytes);
    List<String> messages = new ArrayList<>();
    RunSummary again = TinyRun.train(run("run", CONFIGURATION), 2, messages(messages)).get(0);
    assertTrue(messages.get(0).contains("step-00000007/model.safetensors"), messages.toString());
    assertTrue(messages.get(1).contains("step-00000006"), messages.toString());
    assertEquals(straight.weightsSha256(), again.weightsSha256());
  }
}
