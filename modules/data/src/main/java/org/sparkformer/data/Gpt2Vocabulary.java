package org.sparkformer.data;

import com.knuddels.jtokkit.api.EncodingType;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * GPT-2's vocabulary, from the ranks that jtokkit carries (R50K_BASE). The ranks are the token ids,
 * and the order of the merges: token {@code 256 + i} is made by merge {@code i}, of the two parts
 * that the merges before it leave.
 */
final class Gpt2Vocabulary {
  private static final String RANKS = "r50k_base.tiktoken";
  private static final int BYTES = 256;

  private Gpt2Vocabulary() {}

  static BpeTokenizer tokenizer() {
    return Holder.TOKENIZER;
  }

  /** Built at first use, then shared: it takes a moment and never changes. */
  private static final class Holder {
    private static final BpeTokenizer TOKENIZER = new BpeTokenizer(model());
  }

  private static BpeModel model() {
    List<byte[]> tokens = readRanks();
    List<String> vocabulary = new ArrayList<>();
    Map<String, Integer> ids = new HashMap<>();
    for (byte[] token : tokens) {
      String entry = ByteAlphabet.write(token);
      ids.put(entry, vocabulary.size());
      vocabulary.add(entry);
    }
    List<BpeModel.Merge> merges = new ArrayList<>();
    for (String entry : vocabulary.subList(BYTES, vocabulary.size())) {
      merges.add(lastMerge(entry, ids));
    }
    int endOfText = vocabulary.size();
    vocabulary.add(BpeModel.END_OF_TEXT);
    return new BpeModel(vocabulary, merges, List.of(endOfText), false);
  }

  /**
   * Merges the entry's bytes by rank, without its own: the two parts that remain are what its own
   * merge joins.
   */
  private static BpeModel.Merge lastMerge(String entry, Map<String, Integer> ids) {
    int own = ids.get(entry);
    List<String> parts = new ArrayList<>(entry.chars().mapToObj(Character::toString).toList());
    while (parts.size() > 2) {
      int best = -1;
      int bestRank = own;
      for (int i = 0; i + 1 < parts.size(); i++) {
        int rank = ids.getOrDefault(parts.get(i) + parts.get(i + 1), Integer.MAX_VALUE);
        if (rank < bestRank) {
          best = i;
          bestRank = rank;
        }
      }
      parts.set(best, parts.get(best) + parts.remove(best + 1));
    }
    return new BpeModel.Merge(ids.get(parts.get(0)), ids.get(parts.get(1)));
  }

  private static List<byte[]> readRanks() {
    List<byte[]> tokens = new ArrayList<>(Collections.nCopies(50256, null));
    try (InputStream stream =
            EncodingType.class.getResourceAsStream("/com/knuddels/jtokkit/" + RANKS);
        BufferedReader reader =
            new BufferedReader(new InputStreamReader(stream, StandardCharsets.US_ASCII))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        int space = line.indexOf(' ');
        byte[] token = Base64.getDecoder().decode(line.substring(0, space));
        tokens.set(Integer.parseInt(line.substring(space + 1)), token);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read jtokkit's resource " + RANKS, e);
    }
    return tokens;
  }
}
