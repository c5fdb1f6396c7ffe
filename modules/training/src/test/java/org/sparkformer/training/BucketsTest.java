package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.models.Gpt;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.models.LanguageModel;
import org.sparkformer.models.ParameterLayout;

class BucketsTest {
  private static final ParameterLayout SMALL = Gpt.layout(GptConfiguration.of(3, 2, 40, 33, 61));
  private static final Buckets.Sizes TINY = new Buckets.Sizes(Slice.BLOCK, 3 * Slice.BLOCK);

  @ParameterizedTest
  @CsvSource({"1, 3, 8, 7, 11", "2, 3, 8, 7, 11", "3, 1, 40, 33, 61", "4, 3, 40, 33, 61"})
  void slicesCoverEveryElementOnce(int ranks, int layers, int width, int context, int vocabulary) {
    ParameterLayout layout = Gpt.layout(GptConfiguration.of(layers, 2, width, context, vocabulary));
    Buckets buckets = Buckets.of(layout, ranks, TINY);
    long length = GradientBuffer.length(layout.size());
    BitSet covered = new BitSet();
    long parameters = 0;
    int holdingLoss = 0;
    for (int rank = 0; rank < ranks; rank++) {
      long packed = 0;
      for (Slice slice : buckets.slices(rank)) {
        for (long i = slice.from(); i < slice.from() + slice.length(); i++) {
          assertTrue(!covered.get((int) i), "element " + i + " has two owners");
          covered.set((int) i);
        }
        assertEquals(packed, slice.packed());
        packed += slice.parameters();
        holdingLoss += slice.holdsLoss() ? 1 : 0;
        assertTrue(!slice.holdsLoss() || slice.from() + slice.parameters() == layout.size());
      }
      assertEquals(packed, buckets.owned(rank));
      parameters += packed;
    }
    assertEquals(length, covered.cardinality());
    assertEquals(layout.size(), parameters);
    assertEquals(1, holdingLoss);
  }

  @Test
  void bucketsAndSlicesBeginAtWholeBlocksOfTheNorm() {
    for (int ranks = 2; ranks < 7; ranks++) {
      Buckets buckets = Buckets.of(SMALL, ranks, TINY);
      for (Bucket bucket : buckets.all()) {
        assertEquals(0, bucket.from() % Slice.BLOCK);
        assertTrue(bucket.length() > 0 && bucket.length() <= 3 * Slice.BLOCK);
      }
      for (int rank = 0; rank < ranks; rank++) {
        for (Slice slice : buckets.slices(rank)) {
          assertTrue(slice.length() == 0 || slice.from() % Slice.BLOCK == 0);
        }
      }
    }
  }

  @Test
  void theLastBlockComesFirstAndTheEmbeddingsLast() {
    List<Bucket> all = Buckets.of(SMALL, 2, TINY).all();
    assertEquals(Slice.BLOCK, all.get(0).length());
    assertEquals(2, all.get(0).mark());
    for (int i = 1; i < all.size(); i++) {
      assertTrue(all.get(i).mark() <= all.get(i - 1).mark());
    }
    Bucket last = all.get(all.size() - 1);
    assertEquals(0, last.from());
    assertEquals(LanguageModel.END_OF_PASS, last.mark());
  }

  @Test
  void aBucketIsFinalOnlyWhenAllItsParametersAre() {
    for (Bucket bucket : Buckets.of(SMALL, 2, TINY).all()) {
      for (ParameterLayout.Parameter parameter : SMALL.parameters()) {
        long end = parameter.offset() + parameter.shape().size();
        if (parameter.offset() < bucket.to() && bucket.from() < end) {
          assertTrue(bucket.mark() <= parameter.finishingMark(), parameter.name());
        }
      }
    }
  }

  @Test
  void ranksOwnAlmostTheSame() {
    ParameterLayout large = Gpt.layout(GptConfiguration.of(12, 12, 768, 1024, 50257));
    Buckets buckets = Buckets.of(large, 3, Buckets.Sizes.STANDARD);
    long most = (long) buckets.all().size() * Slice.BLOCK;
    for (int rank = 0; rank < 3; rank++) {
      assertEquals(large.size() / 3.0, buckets.owned(rank), most);
    }
    assertEquals(25 << 20, 4 * buckets.largest());
  }

  @Test
  void oneRankHasOnePiece() {
    Buckets alone = Buckets.of(SMALL, 1, TINY);
    assertEquals(1, alone.all().size());
    assertEquals(SMALL.size(), alone.owned(0));
  }

  @Test
  void sizesAreWholeBlocks() {
    assertThrows(IllegalArgumentException.class, () -> new Buckets.Sizes(1000, 1024));
  }
}
