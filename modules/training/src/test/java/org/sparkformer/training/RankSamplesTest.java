package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.collective.LeafRange;
import org.sparkformer.collective.SummationTree;
import org.sparkformer.data.CausalSamples;
import org.sparkformer.data.Split;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** Which samples the ranks of a run read, while their number changes. */
class RankSamplesTest {
  private static final int CONTEXT = 7;
  private static final TrainingConfiguration TRAINING =
      TinyRun.training().steps(40).batchSize(12).microBatchSize(2).build();

  @TempDir Path folder;

  @Test
  void onFourThenTwoThenThreeThenOneRankEachSampleIsReadOnceAnEpoch() throws Exception {
    try (TokenDataset dataset = TinyDataset.counting(folder, 400)) {
      CausalSamples samples = new CausalSamples(dataset, Split.TRAIN, CONTEXT, TRAINING.seed());
      List<Long> positions = new ArrayList<>();
      positions.addAll(read(samples, 0, 11, 4));
      positions.addAll(read(samples, 11, 12, 2));
      positions.addAll(read(samples, 12, 31, 3));
      positions.addAll(read(samples, 31, 40, 1));
      assertEquals(LongStream.range(0, 480).map(samples::position).boxed().toList(), positions);
      int epoch = Math.toIntExact(samples.samplesPerEpoch());
      for (int from = 0; from + epoch <= positions.size(); from += epoch) {
        assertEquals(epoch, new HashSet<>(positions.subList(from, from + epoch)).size());
      }
    }
  }

  @Test
  @Timeout(60)
  void anErrorOfTheReadingThreadReachesWhoeverWaitsForIt() throws Exception {
    List<Integer> leaves =
        new AbstractList<>() {
          @Override
          public Integer get(int index) {
            throw new OutOfMemoryError("played");
          }

          @Override
          public int size() {
            return 1;
          }
        };
    try (TokenDataset dataset = TinyDataset.counting(folder, 400)) {
      CausalSamples samples = new CausalSamples(dataset, Split.TRAIN, CONTEXT, TRAINING.seed());
      try (MicroBatchReader reader =
          new MicroBatchReader(samples, TRAINING, leaves, RunProgress.START).start()) {
        assertEquals("played", assertThrows(OutOfMemoryError.class, reader::next).getMessage());
      }
    }
  }

  /** Where the samples of some steps begin, in the order of the global batch. */
  private static List<Long> read(CausalSamples samples, int from, int to, int ranks)
      throws Exception {
    SummationTree tree = new SummationTree(TRAINING.microBatches());
    List<MicroBatchReader> readers = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      LeafRange owned = tree.ownedBy(rank, ranks);
      List<Integer> leaves = IntStream.range(owned.from(), owned.to()).boxed().toList();
      readers.add(
          new MicroBatchReader(samples, TRAINING, leaves, RunProgress.START.withStep(from))
              .start());
    }
    List<Long> positions = new ArrayList<>();
    for (int step = from; step < to; step++) {
      for (int rank = 0; rank < ranks; rank++) {
        for (int leaf = 0; leaf < tree.ownedBy(rank, ranks).count(); leaf++) {
          MicroBatch batch = readers.get(rank).next();
          for (int i = 0; i < TRAINING.microBatchSize(); i++) {
            positions.add((long) batch.tokens().getInt(i * CONTEXT * Integer.BYTES));
          }
          readers.get(rank).recycle(batch);
        }
      }
    }
    readers.forEach(MicroBatchReader::close);
    return positions;
  }
}
