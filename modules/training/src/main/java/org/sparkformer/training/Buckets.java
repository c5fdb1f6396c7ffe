package org.sparkformer.training;

import java.util.ArrayList;
import java.util.List;
import org.sparkformer.collective.ShardRange;
import org.sparkformer.models.LanguageModel;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.models.ParameterLayout.Parameter;

/**
 * The flat gradient vector and its tail, cut into contiguous ranges in the order in which the
 * backward pass finishes them: the last block's matrices first, then all biases and normalisation
 * weights, which lie together and are final with the first block, the embeddings last. Every rank
 * owns a slice of every bucket. A pure function of the layout and the number of ranks.
 *
 * @param layout of the parameters
 * @param ranks that share each bucket
 * @param all in the order in which they are finished
 */
record Buckets(ParameterLayout layout, int ranks, List<Bucket> all) {

  /**
   * Largest buckets, in elements, each a multiple of the norm's block.
   *
   * @param first of the first bucket: small, so that the exchange begins early
   * @param others of all others
   */
  record Sizes(int first, int others) {
    /** 1 MiB, then 25 MB, as PyTorch's DistributedDataParallel has them. */
    static final Sizes STANDARD = new Sizes(1 << 18, 6400 * Slice.BLOCK);

    Sizes {
      if (first < 1 || others < 1 || first % Slice.BLOCK != 0 || others % Slice.BLOCK != 0) {
        throw new IllegalArgumentException(
            "bucket sizes must be positive multiples of %d elements, got %d and %d"
                .formatted(Slice.BLOCK, first, others));
      }
    }
  }

  /** One rank keeps everything in one piece: nothing is sent. */
  static Buckets of(ParameterLayout layout, int ranks, Sizes sizes) {
    long end = GradientBuffer.length(layout.size());
    if (ranks == 1) {
      return new Buckets(layout, 1, List.of(new Bucket(0, end, LanguageModel.END_OF_PASS)));
    }
    long vectors = down(layout.decayed());
    long blocks = Math.min(vectors, up(endOfEmbeddings(layout)));
    List<Bucket> cut = new ArrayList<>();
    cut(layout, blocks, vectors, sizes, cut);
    cut(layout, vectors, end, sizes, cut);
    cut(layout, 0, blocks, sizes, cut);
    return new Buckets(layout, ranks, List.copyOf(cut));
  }

  /** From the end down, because later blocks have later places and are finished earlier. */
  private static void cut(
      ParameterLayout layout, long first, long end, Sizes sizes, List<Bucket> cut) {
    for (long to = end; to > first; ) {
      int size = cut.isEmpty() ? sizes.first() : sizes.others();
      long from = Math.max(first, up(to - size));
      int earlier = cut.isEmpty() ? Integer.MAX_VALUE : cut.get(cut.size() - 1).mark();
      cut.add(new Bucket(from, to, Math.min(earlier, mark(layout, from, to))));
      to = from;
    }
  }

  private static int mark(ParameterLayout layout, long from, long to) {
    return layout.parameters().stream()
        .filter(parameter -> parameter.offset() < to && from < endOf(parameter))
        .mapToInt(Parameter::finishingMark)
        .min()
        .orElse(Integer.MAX_VALUE);
  }

  private static long endOfEmbeddings(ParameterLayout layout) {
    return layout.parameters().stream()
        .filter(parameter -> parameter.decays())
        .filter(parameter -> parameter.finishingMark() == LanguageModel.END_OF_PASS)
        .mapToLong(Buckets::endOf)
        .max()
        .orElse(0);
  }

  private static long endOf(Parameter parameter) {
    return parameter.offset() + parameter.shape().size();
  }

  static long down(long position) {
    return position / Slice.BLOCK * Slice.BLOCK;
  }

  static long up(long position) {
    return down(position + Slice.BLOCK - 1);
  }

  /** A rank's slice of each bucket, in the order of the buckets; some may be empty. */
  List<Slice> slices(int rank) {
    List<Slice> slices = new ArrayList<>();
    long packed = 0;
    for (Bucket bucket : all) {
      Slice slice = slice(bucket, rank, packed);
      slices.add(slice);
      packed += slice.parameters();
    }
    return List.copyOf(slices);
  }

  private Slice slice(Bucket bucket, int rank, long packed) {
    long from = bucket.from();
    long length = bucket.length();
    if (ranks > 1) {
      ShardRange shard = ShardRange.of((int) length, rank, ranks);
      from += shard.offset();
      length = shard.length();
    }
    long parameters = Math.max(0, Math.min(length, layout.size() - from));
    return new Slice(from, length, parameters, packed);
  }

  /** Elements that a rank owns, and holds the optimizer's state of. */
  long owned(int rank) {
    return slices(rank).stream().mapToLong(Slice::parameters).sum();
  }

  /** Elements of the largest bucket. */
  long largest() {
    return all.stream().mapToLong(Bucket::length).max().orElse(0);
  }
}
