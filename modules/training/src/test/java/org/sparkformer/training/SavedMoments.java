package org.sparkformer.training;

import java.io.IOException;
import java.util.Arrays;
import org.apache.hadoop.conf.Configuration;
import org.sparkformer.models.ModelConfiguration;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.reference.JavaBackend;

/** AdamW's moments of a checkpoint, put together from whatever files hold them. */
record SavedMoments(float[] first, float[] second) {

  static SavedMoments of(String run, int step, ModelConfiguration model) throws IOException {
    ParameterLayout layout = model.layout();
    CheckpointStore store = new CheckpointStore(RunFolder.of(new Configuration(false), run), 1);
    try (Backend backend = new JavaBackend(1);
        ModelState state =
            ModelState.allocate(
                backend, Buckets.of(layout, 1, Buckets.Sizes.STANDARD), 0, true, DType.FLOAT32);
        OptimizerShards shards =
            OptimizerShards.open(store.folder(step), store.files(step), layout)) {
      shards.load(backend, state);
      return new SavedMoments(
          backend.readFloats(state.firstMoment()), backend.readFloats(state.secondMoment()));
    }
  }

  /** Whether every bit is the same, and there is something to compare. */
  boolean sameAs(SavedMoments other) {
    return Arrays.equals(first, other.first)
        && Arrays.equals(second, other.second)
        && !Arrays.equals(second, new float[second.length]);
  }
}
