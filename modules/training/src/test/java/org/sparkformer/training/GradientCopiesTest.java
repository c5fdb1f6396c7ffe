package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.tensor.Storage;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.reference.JavaBackend;
import org.sparkformer.training.configuration.RunConfiguration;

class GradientCopiesTest {
  private static final int STEPS = 3;

  @TempDir Path folder;

  /** Elements of a buffer that were copied to the host. */
  private record Range(Storage storage, long first, long size) {}

  /** Counts the copies that were started. */
  private static final class Counting extends ForwardingBackend {
    private final Map<Range, Integer> reads = new HashMap<>();

    Counting() {
      super(new JavaBackend(1));
    }

    @Override
    public Pending startRead(Tensor source, ByteBuffer destination) {
      reads.merge(new Range(source.storage(), source.offset(), source.size()), 1, Integer::sum);
      return super.startRead(source, destination);
    }
  }

  @Test
  void everyBucketIsCopiedToTheHostOnceAStepAndNoElementTwice() throws Exception {
    RunConfiguration configuration =
        TinyRun.configuration(
            TinyRun.training().steps(STEPS).batchSize(2).evalInterval(0).build(), 0);
    List<Counting> backends = List.of(new Counting(), new Counting());
    train(configuration, backends);
    long gradients = GradientBuffer.length(configuration.model().layout().size());
    for (Counting backend : backends) {
      Map<Range, Integer> reads = backend.reads;
      assertEquals(Collections.nCopies(reads.size(), STEPS), List.copyOf(reads.values()));
      requireBuckets(gradients, ofLargest(reads.keySet()));
    }
  }

  private void train(RunConfiguration configuration, List<Counting> backends) throws Exception {
    try (TokenDataset dataset =
        TinyDataset.open(Files.createDirectory(folder.resolve("data")), 100, 0)) {
      String output = folder.resolve("run").toUri().toString();
      TrainingRun run =
          new TrainingRun(
              configuration, dataset, RunFolder.of(new Configuration(false), output), true);
      TinyRun.train(run, backends.size(), TrainingListener.NONE, backends::get);
    }
  }

  /** The ranges of the largest buffer, which is that of the gradients, in their order. */
  private static List<Range> ofLargest(Set<Range> ranges) {
    Storage largest =
        ranges.stream()
            .map(Range::storage)
            .max(Comparator.comparingLong(Storage::bytes))
            .orElseThrow();
    return ranges.stream()
        .filter(range -> range.storage() == largest)
        .sorted(Comparator.comparingLong(Range::first))
        .toList();
  }

  private static void requireBuckets(long elements, List<Range> buckets) {
    assertTrue(buckets.size() > 2, buckets::toString);
    long next = 0;
    for (Range bucket : buckets) {
      assertEquals(next, bucket.first(), buckets::toString);
      next += bucket.size();
    }
    assertEquals(elements, next);
  }
}
