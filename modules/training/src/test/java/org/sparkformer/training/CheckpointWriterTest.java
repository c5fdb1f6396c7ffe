package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.collective.Collective;
import org.sparkformer.collective.CollectiveOptions;
import org.sparkformer.collective.InProcessTransport;
import org.sparkformer.collective.SummationTree;
import org.sparkformer.collective.TreeCollective;
import org.sparkformer.training.CheckpointStore.Guard;

class CheckpointWriterTest {
  @TempDir Path folder;

  /** A write that fails is tried again by the driver, and memory that is out is none. */
  @Test
  void anErrorOfTheWritingThreadIsNoFailedWrite() throws Exception {
    OutOfMemoryError error = new OutOfMemoryError("played");
    CheckpointFile fatal =
        new CheckpointFile(
            "weights",
            stream -> {
              throw error;
            });
    RunFolder run = RunFolder.of(new Configuration(false), folder.toUri().toString());
    try (Collective alone = alone();
        WriterThread thread = new WriterThread(run);
        CheckpointWriter writer =
            new CheckpointWriter(new CheckpointStore(run, 1), alone, Guard.SOLE, thread)) {
      writer.start(1, List.of(fatal));
      assertSame(error, assertThrows(OutOfMemoryError.class, writer::await));
    }
  }

  private static Collective alone() {
    String id = "checkpoint-writer";
    return new TreeCollective(
        new SummationTree(1),
        InProcessTransport.group(id, 0, 1).get(0),
        CollectiveOptions.of(id, 0, Duration.ofSeconds(60)));
  }
}
