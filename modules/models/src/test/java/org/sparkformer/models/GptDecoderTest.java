package org.sparkformer.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkformer.models.safetensors.SafetensorsReader;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;

class GptDecoderTest {
  private static final int LENGTH = 13;
  private static final int VOCABULARY = Golden.CONFIGURATION.vocabularySize();

  @ParameterizedTest
  @EnumSource
  void cachedLogitsAgreeWithPyTorchsFullForwardPass(TestBackend kind) throws IOException {
    try (Backend backend = kind.open();
        SafetensorsReader golden = Golden.open("expected.safetensors");
        Tensor weights = Golden.weights(backend);
        GptDecoder decoder = decoder(backend, weights)) {
      int[] tokens = Golden.ints(golden, "tokens");
      float[] logits = Golden.floats(golden, "logits");
      for (int[] pieces : List.of(new int[] {13}, new int[] {1, 1, 5, 1, 4, 1}, ones(LENGTH))) {
        decoder.clear();
        for (int piece : pieces) {
          int from = decoder.length();
          float[] actual = decoder.append(Arrays.copyOfRange(tokens, from, from + piece));
          int row = decoder.length() - 1;
          float[] expected = Arrays.copyOfRange(logits, row * VOCABULARY, (row + 1) * VOCABULARY);
          Golden.assertClose(expected, actual, 1e-5, "logits of position " + row);
        }
      }
    }
  }

  private static int[] ones(int count) {
    int[] ones = new int[count];
    Arrays.fill(ones, 1);
    return ones;
  }

  @Test
  void takesNoMemoryFromTokenToTokenAndGivesAllBack() throws IOException {
    try (Backend backend = TestBackend.JAVA.open();
        Tensor weights = Golden.weights(backend)) {
      long before = backend.memory().bytes();
      try (GptDecoder decoder = decoder(backend, weights)) {
        long held = backend.memory().bytes();
        decoder.append(1, 2, 3);
        decoder.append(4);
        assertEquals(held, backend.memory().bytes());
      }
      assertEquals(before, backend.memory().bytes());
    }
  }

  @ParameterizedTest
  @EnumSource
  void refusesTokensThatItCannotReadAndStaysAsItWas(TestBackend kind) throws IOException {
    try (Backend backend = kind.open();
        Tensor weights = Golden.weights(backend);
        GptDecoder decoder = decoder(backend, weights)) {
      decoder.append(1, 2, 3);
      assertThrows(IllegalArgumentException.class, decoder::append);
      assertThrows(IllegalArgumentException.class, () -> decoder.append(VOCABULARY));
      assertThrows(IllegalArgumentException.class, () -> decoder.append(-1));
      assertThrows(IllegalArgumentException.class, () -> decoder.append(new int[14]));
      assertEquals(3, decoder.length());
      float[] after = decoder.append(4);
      decoder.clear();
      decoder.append(1, 2, 3);
      assertArrayEquals(after, decoder.append(4));
    }
  }

  private static GptDecoder decoder(Backend backend, Tensor weights) {
    return new GptDecoder(backend, new Gpt(Golden.CONFIGURATION, weights, null));
  }
}
