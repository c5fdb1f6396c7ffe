package org.sparkformer.training;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.sparkformer.models.LanguageModel;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.models.ParameterLayout.Parameter;

/**
 * What full sharding puts together at once. The matrices of each block, which lie together in the
 * flat vector, are a unit that is whole only while a pass is in the block. The rest every rank has
 * whole all the time: the embeddings, which are used first and last, all biases and normalisation
 * weights, which lie together and are few, and those blocks of the norm that lie in two units.
 *
 * <p>A pure function of the layout and the number of ranks.
 *
 * @param buckets of all units: those of the last block first, the shared ones last and ascending
 * @param blocks by layer
 * @param shared where each shared bucket lies among them, by its number less that of the first
 */
record Units(Buckets buckets, List<Unit> blocks, List<Piece> shared) {

  /**
   * A block's matrices.
   *
   * @param from first element in the flat vector
   * @param to element after the last
   * @param firstBucket of those that hold what no other unit has a part of
   * @param lastBucket the one after the last
   */
  record Unit(long from, long to, int firstBucket, int lastBucket) {
    long length() {
      return to - from;
    }

    /** Numbers of its buckets. */
    IntStream buckets() {
      return IntStream.range(firstBucket, lastBucket);
    }
  }

  /**
   * A shared bucket.
   *
   * @param place of its first element among all that is shared
   */
  record Piece(Bucket bucket, long place) {
    private boolean holds(long position) {
      return position >= bucket.from() && position < bucket.to();
    }
  }

  static Units of(ParameterLayout layout, int ranks, Buckets.Sizes sizes) {
    int layers = layout.parameters().stream().mapToInt(Units::layer).max().orElse(-1) + 1;
    List<Bucket> cut = new ArrayList<>();
    Unit[] units = new Unit[layers];
    for (int layer = layers - 1; layer >= 0; layer--) {
      units[layer] = cutBlock(layout, layer, sizes, cut);
    }
    List<Piece> shared = shared(layout, sizes, cut);
    return new Units(new Buckets(layout, ranks, List.copyOf(cut)), List.of(units), shared);
  }

  private static Unit cutBlock(
      ParameterLayout layout, int layer, Buckets.Sizes sizes, List<Bucket> cut) {
    long from = layout.decayed();
    long to = 0;
    for (Parameter parameter : layout.parameters()) {
      if (layer(parameter) == layer) {
        from = Math.min(from, parameter.offset());
        to = Math.max(to, parameter.offset() + parameter.shape().size());
      }
    }
    int first = cut.size();
    cut(Buckets.up(from), Buckets.down(to), layer, sizes, cut);
    return new Unit(from, to, first, cut.size());
  }

  /** The block whose matrix a parameter is, or -1 where it is shared. */
  static int layer(Parameter parameter) {
    int mark = parameter.finishingMark();
    return parameter.decays() && mark != Integer.MAX_VALUE ? mark : LanguageModel.END_OF_PASS;
  }

  /** All that lies in no block's buckets, cut and added to the buckets. */
  private static List<Piece> shared(ParameterLayout layout, Buckets.Sizes sizes, List<Bucket> cut) {
    List<Bucket> ofBlocks =
        cut.stream().sorted((one, other) -> Long.compare(one.from(), other.from())).toList();
    int first = cut.size();
    long from = 0;
    for (Bucket bucket : ofBlocks) {
      cut(from, bucket.from(), LanguageModel.END_OF_PASS, sizes, cut);
      from = bucket.to();
    }
    cut(from, GradientBuffer.length(layout.size()), LanguageModel.END_OF_PASS, sizes, cut);
    List<Piece> pieces = new ArrayList<>();
    long place = 0;
    for (Bucket bucket : cut.subList(first, cut.size())) {
      pieces.add(new Piece(bucket, place));
      place += bucket.length();
    }
    return List.copyOf(pieces);
  }

  private static void cut(long first, long end, int mark, Buckets.Sizes sizes, List<Bucket> cut) {
    for (long from = first; from < end; from += sizes.others()) {
      cut.add(new Bucket(from, Math.min(end, from + sizes.others()), mark));
    }
  }

  int layers() {
    return blocks.size();
  }

  /** Number of the first shared bucket; all after it are shared too. */
  int firstShared() {
    return buckets.all().size() - shared.size();
  }

  /** Elements of what every rank has whole, the tail behind the parameters included. */
  long sharedLength() {
    return shared.stream().mapToLong(piece -> piece.bucket().length()).sum();
  }

  /** Elements of the largest block's matrices. */
  long largestBlock() {
    return blocks.stream().mapToLong(Unit::length).max().orElse(0);
  }

  /** The most buckets of a block, at least 1. */
  int mostBuckets() {
    return blocks.stream()
        .mapToInt(unit -> unit.lastBucket() - unit.firstBucket())
        .reduce(1, Math::max);
  }

  /** Where an element of the flat vector lies among all that is shared. */
  long sharedPlace(long position) {
    for (Piece piece : shared) {
      if (piece.holds(position)) {
        return piece.place() + position - piece.bucket().from();
      }
    }
    throw new IllegalArgumentException("element " + position + " is not shared");
  }
}
