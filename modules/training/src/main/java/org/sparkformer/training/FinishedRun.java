package org.sparkformer.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.util.Optional;
import org.sparkformer.training.configuration.RunConfiguration;

/**
 * A run that has reached its last step: there is nothing left to do, which needs no cluster to
 * know.
 *
 * @param folder of the run
 * @param summary what came of it
 */
public record FinishedRun(RunFolder folder, RunSummary summary) {
  /** The finished run in a folder; empty where there is none that this version can read. */
  public static Optional<FinishedRun> in(RunFolder folder) throws IOException {
    Optional<byte[]> json = folder.read(RunSummary.FILE_NAME);
    try {
      return json.isPresent()
          ? Optional.of(new FinishedRun(folder, Json.read(json.get(), RunSummary.class)))
          : Optional.empty();
    } catch (JsonProcessingException anotherFormat) {
      return Optional.empty();
    }
  }

  /**
   * Whether the run is the one that is asked for, and its last checkpoint is there. The dataset is
   * compared by name: nothing of it is read.
   */
  public boolean answers(RunConfiguration asked) throws IOException {
    return summary.configuration().data().equals(asked.data())
        && givesSameNumbers(asked)
        && new CheckpointStore(folder, 1).steps().contains(asked.training().steps());
  }

  private boolean givesSameNumbers(RunConfiguration asked) throws IOException {
    try {
      new ResumeCheck(folder.path().toString())
          .requireSame(Json.tree(Json.pretty(summary.configuration())), asked);
      return true;
    } catch (IllegalArgumentException another) {
      return false;
    }
  }
}
