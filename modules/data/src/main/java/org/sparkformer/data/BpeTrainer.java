package org.sparkformer.data;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Learns the merges of a byte-level vocabulary from counted words (Sennrich et al. 2016, algorithm
 * 1): again and again the most frequent pair of neighbouring tokens becomes a token. Among equally
 * frequent pairs the one of smallest ids wins, as in the Hugging Face library's {@code BpeTrainer},
 * so the result does not depend on the order of the words.
 */
public final class BpeTrainer {
  private static final int BYTES = 256;

  private final List<String> vocabulary = new ArrayList<>();
  private final Map<String, Integer> ids = new HashMap<>();
  private final List<BpeModel.Merge> merges = new ArrayList<>();
  private final List<TrainingWord> words = new ArrayList<>();
  private final Map<BpeModel.Merge, Pair> pairs = new HashMap<>();
  private final Set<BpeModel.Merge> merged = new HashSet<>();
  private final PriorityQueue<Candidate> queue = new PriorityQueue<>(Candidate.ORDER);

  /** A pair's occurrences and the words that held it when it appeared; some may hold it no more. */
  private static final class Pair {
    private long count;
    private final TokenList words = new TokenList();
  }

  private record Candidate(long count, BpeModel.Merge pair) {
    private static final Comparator<Candidate> ORDER =
        Comparator.comparingLong(Candidate::count)
            .reversed()
            .thenComparingInt(candidate -> candidate.pair.left())
            .thenComparingInt(candidate -> candidate.pair.right());
  }

  private BpeTrainer() {}

  /** As below, with end-of-text as the one special token. */
  public static BpeModel train(Iterable<WordCount> counts, int vocabularySize, long minimumCount) {
    return train(counts, vocabularySize, minimumCount, List.of(BpeModel.END_OF_TEXT));
  }

  /**
   * Trains a vocabulary: the special tokens, the 256 bytes, then one token a merge.
   *
   * @param vocabularySize tokens wanted; fewer come out where the words hold no more pairs
   * @param minimumCount pairs that occur less often are not merged
   * @throws IllegalArgumentException if the bytes and the special tokens do not fit
   */
  public static BpeModel train(
      Iterable<WordCount> counts, int vocabularySize, long minimumCount, List<String> special) {
    int least = BYTES + special.size();
    if (vocabularySize < least) {
      throw new IllegalArgumentException(
          "a byte-level vocabulary has at least %d tokens (the bytes and %s), not %d; raise model.vocab_size"
              .formatted(least, String.join(", ", special), vocabularySize));
    }
    BpeTrainer trainer = new BpeTrainer();
    special.forEach(trainer::token);
    trainer.addAlphabet();
    counts.forEach(trainer::addWord);
    trainer.pairs.forEach((pair, state) -> trainer.queue.add(new Candidate(state.count, pair)));
    trainer.learn(vocabularySize, Math.max(1, minimumCount));
    return new BpeModel(trainer.vocabulary, trainer.merges, specialIds(special), false);
  }

  private static List<Integer> specialIds(List<String> special) {
    return IntStream.range(0, special.size()).boxed().toList();
  }

  private void addAlphabet() {
    IntStream.range(0, BYTES)
        .mapToObj(ByteAlphabet::character)
        .sorted()
        .map(String::valueOf)
        .forEach(this::token);
  }

  private int token(String entry) {
    Integer known = ids.putIfAbsent(entry, vocabulary.size());
    if (known == null) {
      vocabulary.add(entry);
    }
    return ids.get(entry);
  }

  private void addWord(WordCount word) {
    byte[] bytes = WellFormed.text(word.word()).getBytes(StandardCharsets.UTF_8);
    int[] symbols = new int[bytes.length];
    for (int i = 0; i < symbols.length; i++) {
      symbols[i] = ids.get(String.valueOf(ByteAlphabet.character(bytes[i] & 0xff)));
    }
    TrainingWord added = new TrainingWord(symbols, word.count());
    int index = words.size();
    words.add(added);
    added.forEachPair((left, right, change) -> change(left, right, change, index));
  }

  private Pair change(int left, int right, long change, int word) {
    Pair pair = pairs.computeIfAbsent(new BpeModel.Merge(left, right), key -> new Pair());
    pair.count += change;
    if (change > 0 && pair.words.last() != word) {
      pair.words.add(word);
    }
    return pair;
  }

  private void learn(int vocabularySize, long minimumCount) {
    while (vocabulary.size() < vocabularySize && !queue.isEmpty()) {
      Candidate best = queue.poll();
      Pair pair = pairs.get(best.pair);
      if (merged.contains(best.pair)) {
        continue;
      }
      if (pair.count != best.count) {
        queue.add(new Candidate(pair.count, best.pair));
      } else if (best.count < minimumCount) {
        return;
      } else {
        merge(best.pair, pair);
      }
    }
  }

  private void merge(BpeModel.Merge merge, Pair pair) {
    int replacement = token(vocabulary.get(merge.left()) + vocabulary.get(merge.right()));
    merges.add(merge);
    merged.add(merge);
    Set<BpeModel.Merge> grown = new HashSet<>();
    for (int index : pair.words.toArray()) {
      words
          .get(index)
          .merge(
              merge,
              replacement,
              (left, right, change) -> {
                change(left, right, change, index);
                if (change > 0) {
                  grown.add(new BpeModel.Merge(left, right));
                }
              });
    }
    pairs.remove(merge);
    for (BpeModel.Merge next : grown) {
      Pair state = pairs.get(next);
      if (state != null && state.count > 0) {
        queue.add(new Candidate(state.count, next));
      }
    }
  }
}
