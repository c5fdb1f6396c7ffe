package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.BitSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.models.Gpt;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.models.ParameterLayout;

class UnitsTest {
  private static final Buckets.Sizes TINY = new Buckets.Sizes(Slice.BLOCK, 3 * Slice.BLOCK);

  @ParameterizedTest
  @CsvSource({"1, 8", "3, 8", "3, 24", "5, 40", "2, 64"})
  void bucketsCoverEveryElementOnceInWholeBlocksOfTheNorm(int layers, int width) {
    ParameterLayout layout = Gpt.layout(GptConfiguration.of(layers, 2, width, 7, 11));
    Units units = Units.of(layout, 3, TINY);
    BitSet covered = new BitSet();
    long length = 0;
    for (Bucket bucket : units.buckets().all()) {
      assertEquals(0, bucket.from() % Slice.BLOCK);
      assertTrue(bucket.length() > 0 && bucket.length() <= 3 * Slice.BLOCK);
      covered.set((int) bucket.from(), (int) bucket.to());
      length += bucket.length();
    }
    assertEquals(GradientBuffer.length(layout.size()), length);
    assertEquals(length, covered.cardinality());
  }

  @ParameterizedTest
  @CsvSource({"3, 8", "3, 24", "5, 40"})
  void aParameterIsInItsBlockOrShared(int layers, int width) {
    ParameterLayout layout = Gpt.layout(GptConfiguration.of(layers, 2, width, 7, 11));
    Units units = Units.of(layout, 2, TINY);
    for (ParameterLayout.Parameter parameter : layout.parameters()) {
      long end = parameter.offset() + parameter.shape().size();
      int layer = Units.layer(parameter);
      if (layer >= 0) {
        assertTrue(parameter.name().startsWith("transformer.h." + layer + "."), parameter.name());
        Units.Unit unit = units.blocks().get(layer);
        assertTrue(parameter.offset() >= unit.from() && end <= unit.to(), parameter.name());
      } else {
        long place = units.sharedPlace(parameter.offset());
        assertEquals(place + parameter.shape().size() - 1, units.sharedPlace(end - 1));
      }
    }
  }

  @Test
  void whatIsSharedOfALargeModelIsLittleMoreThanItsEmbeddings() {
    ParameterLayout layout = Gpt.layout(GptConfiguration.of(12, 12, 768, 1024, 50257));
    Units units = Units.of(layout, 4, Buckets.Sizes.STANDARD);
    long embeddings = layout.parameter("transformer.h.0.attn.c_attn.weight").offset();
    assertEquals(embeddings, units.sharedLength(), 150_000);
    assertEquals(12L * 768 * 768, units.largestBlock());
    assertEquals(2, units.mostBuckets());
    assertEquals(25 << 20, 4 * units.buckets().largest());
  }
}
