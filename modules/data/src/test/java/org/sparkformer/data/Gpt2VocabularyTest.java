package org.sparkformer.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import java.io.IOException;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class Gpt2VocabularyTest {
  private final Tokenizer gpt2 = Tokenizers.named("gpt2");

  @Test
  void hasThePublishedSizeAndEndOfText() {
    assertEquals(50257, gpt2.vocabularySize());
    assertEquals(OptionalInt.of(50256), gpt2.endOfText());
    assertArrayEquals(new int[] {50256}, gpt2.encode("<|endoftext|>"));
  }

  /**
   * The example of OpenAI's tiktoken README for this vocabulary's family, and GPT-2's first merges.
   */
  @Test
  void encodesAsPublished() {
    assertArrayEquals(new int[] {31373, 995}, gpt2.encode("hello world"));
    assertEquals(true, gpt2.toJson().contains("\"merges\" : [ \"Ġ t\", \"Ġ a\", \"h e\", \"i n\""));
  }

  @Test
  void encodesAsJtokkit() throws IOException {
    Encoding theirs = Encodings.newDefaultEncodingRegistry().getEncoding(EncodingType.R50K_BASE);
    String text = SampleTexts.multilingual().replace("<|endoftext|>", "");
    assertArrayEquals(theirs.encodeOrdinary(text).toArray(), gpt2.encode(text));
  }
}
