package org.sparkformer.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

class GptConfigurationTest {
  @Test
  void gpt2HasItsPublishedParameterCount() {
    assertEquals(124_439_808L, GptConfiguration.of(12, 12, 768, 1024, 50257).parameterCount());
  }

  @Test
  void countsPast31BitsWithoutOverflow() {
    GptConfiguration gpt3 = GptConfiguration.of(96, 96, 12288, 2048, 50257);
    assertEquals(174_604_259_328L, gpt3.parameterCount());
  }

  @Test
  void refusesHeadsThatDoNotDivideTheWidth() {
    IllegalArgumentException error =
        assertThrows(IllegalArgumentException.class, () -> GptConfiguration.of(2, 3, 64, 8, 10));
    assertEquals("model.heads must divide model.width (64), but is 3", error.getMessage());
  }

  @Test
  void refusesNonPositiveSizesAndBadDropout() {
    assertThrows(IllegalArgumentException.class, () -> GptConfiguration.of(0, 1, 8, 8, 8));
    assertThrows(IllegalArgumentException.class, () -> GptConfiguration.of(1, 1, 8, 8, -1));
    assertThrows(
        IllegalArgumentException.class, () -> new GptConfiguration(1, 1, 8, 8, 8, 1.0, false));
    assertThrows(
        IllegalArgumentException.class,
        () -> new GptConfiguration(1, 1, 8, 8, 8, Double.NaN, false));
  }

  @Test
  void survivesJsonUnderTheNamesThatFilesUse() throws Exception {
    GptConfiguration written = new GptConfiguration(2, 4, 64, 32, 65, 0.2, true);
    ObjectMapper json = new ObjectMapper();
    String text = json.writeValueAsString(written);
    assertEquals(
        "{\"architecture\":\"gpt\",\"layers\":2,\"heads\":4,\"width\":64,\"context\":32,\"vocab_size\":65,"
            + "\"dropout\":0.2,\"recompute_activations\":true}",
        text);
    assertEquals(written, json.readValue(text, GptConfiguration.class));
  }
}
