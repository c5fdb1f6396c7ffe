package org.sparkformer.data;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Byte-level byte-pair encoding with GPT-2's pre-tokenizer (Sennrich et al. 2016; Radford et al.
 * 2019). An added token's text, such as {@code <|endoftext|>}, becomes that token wherever it
 * stands, as in the Hugging Face library.
 */
public final class BpeTokenizer implements Tokenizer {
  private static final int CACHED_PIECES = 1 << 16;
  private static final int CACHED_PIECE_LENGTH = 64;

  private final BpeModel model;
  private final Map<String, Integer> ids;
  private final MergeTable merges;
  private final int[] idOfByte = new int[256];
  private final byte[][] bytesOfToken;

  /** Added tokens, longest first: the longest wins among those that start at one place. */
  private final List<String> addedTokens;

  /** Tokens of pieces met before: language repeats its words, so this is most of the speed. */
  private final Map<String, int[]> pieces = new ConcurrentHashMap<>();

  /**
   * @throws IllegalArgumentException if a byte or a merge's result is missing from the vocabulary
   */
  public BpeTokenizer(BpeModel model) {
    this.model = model;
    this.ids = model.ids();
    this.merges = new MergeTable(model, ids);
    Arrays.setAll(idOfByte, this::requireByte);
    this.bytesOfToken = bytesOfTokens();
    this.addedTokens =
        model.addedTokens().stream()
            .map(model.vocabulary()::get)
            .sorted(Comparator.comparing(String::length).reversed())
            .toList();
  }

  private int requireByte(int value) {
    Integer id = ids.get(String.valueOf(ByteAlphabet.character(value)));
    if (id == null) {
      throw new IllegalArgumentException(
          "the vocabulary has no token for byte 0x%02x; a byte-level vocabulary has all 256"
              .formatted(value));
    }
    return id;
  }

  private byte[][] bytesOfTokens() {
    byte[][] bytes = new byte[model.vocabulary().size()][];
    Arrays.setAll(bytes, id -> ByteAlphabet.read(model.vocabulary().get(id)));
    for (int added : model.addedTokens()) {
      bytes[added] = model.vocabulary().get(added).getBytes(StandardCharsets.UTF_8);
    }
    return bytes;
  }

  @Override
  public int vocabularySize() {
    return bytesOfToken.length;
  }

  @Override
  public int[] encode(String text) {
    String wellFormed = WellFormed.text(text);
    TokenList tokens = new TokenList();
    Map<String, Integer> nextPlaces = new HashMap<>();
    int start = 0;
    while (start < wellFormed.length()) {
      String added = nextAdded(wellFormed, start, nextPlaces);
      int end = added == null ? wellFormed.length() : nextPlaces.get(added);
      encodePieces(wellFormed.substring(start, end), tokens);
      if (added != null) {
        tokens.add(ids.get(added));
        end += added.length();
      }
      start = end;
    }
    return tokens.toArray();
  }

  /**
   * The added token that stands first from {@code start} on, or null; keeps where each stands next
   * in {@code places}.
   */
  private String nextAdded(String text, int start, Map<String, Integer> places) {
    String first = null;
    for (String added : addedTokens) {
      int place = places.getOrDefault(added, -1);
      if (place < start) {
        place = text.indexOf(added, start);
        place = place < 0 ? Integer.MAX_VALUE : place;
        places.put(added, place);
      }
      if (place < Integer.MAX_VALUE && (first == null || place < places.get(first))) {
        first = added;
      }
    }
    return first;
  }

  private void encodePieces(String text, TokenList tokens) {
    for (int start = 0; start < text.length(); ) {
      int end = PreTokenizer.pieceEnd(text, start);
      tokens.addAll(encodePiece(text.substring(start, end)));
      start = end;
    }
  }

  private int[] encodePiece(String piece) {
    int[] known = pieces.get(piece);
    if (known != null) {
      return known;
    }
    int[] tokens = mergePiece(piece.getBytes(StandardCharsets.UTF_8));
    if (piece.length() <= CACHED_PIECE_LENGTH && pieces.size() < CACHED_PIECES) {
      pieces.put(piece, tokens);
    }
    return tokens;
  }

  private int[] mergePiece(byte[] bytes) {
    if (model.ignoreMerges()) {
      Integer whole = ids.get(ByteAlphabet.write(bytes));
      if (whole != null) {
        return new int[] {whole};
      }
    }
    int[] symbols = new int[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      symbols[i] = idOfByte[bytes[i] & 0xff];
    }
    return new PairMerger(merges, symbols).merge();
  }

  @Override
  public byte[] tokenBytes(int token) {
    if (token < 0 || token >= bytesOfToken.length) {
      throw new IllegalArgumentException(
          "token %d is outside the vocabulary of %d".formatted(token, bytesOfToken.length));
    }
    return bytesOfToken[token].clone();
  }

  @Override
  public OptionalInt specialToken(String text) {
    Integer id = ids.get(text);
    boolean added = id != null && model.addedTokens().contains(id);
    return added ? OptionalInt.of(id) : OptionalInt.empty();
  }

  @Override
  public int[] documentSeparator() {
    OptionalInt end = endOfText().isPresent() ? endOfText() : specialToken(MaskTokens.END);
    return end.isPresent() ? new int[] {end.getAsInt()} : encode("\n");
  }

  @Override
  public int safeCut(CharSequence text) {
    boolean spaced =
        addedTokens.stream()
            .anyMatch(token -> token.codePoints().anyMatch(UnicodeClasses::isSpace));
    return spaced ? 0 : PreTokenizer.lastBoundary(text);
  }

  @Override
  public String toJson() {
    return TokenizerJson.write(model);
  }
}
