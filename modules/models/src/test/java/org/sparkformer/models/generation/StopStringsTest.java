package org.sparkformer.models.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class StopStringsTest {
  @Test
  void endsAtTheSamePlaceWhereverThePiecesAreCut() {
    String text = "aab\n\nabcab";
    for (List<String> stops :
        List.of(List.of("\n\n"), List.of("abc", "b\n\na"), List.of("abcd"), List.of("abc", "b"))) {
      String whole = shown(text, text.length(), text.length(), stops);
      for (int first = 0; first <= text.length(); first++) {
        for (int second = first; second <= text.length(); second++) {
          assertEquals(whole, shown(text, first, second, stops));
        }
      }
    }
    assertEquals("aab", shown(text, 3, 4, List.of("\n\n")));
    assertEquals("aa", shown(text, 3, 4, List.of("abc", "b\n\na")));
    assertEquals(text, shown(text, 3, 4, List.of("abcd")));
    assertEquals(text, shown(text, 3, 4, List.of()));
  }

  private static String shown(String text, int first, int second, List<String> stops) {
    StopStrings filter = new StopStrings(stops);
    return filter.append(text.substring(0, first))
        + filter.append(text.substring(first, second))
        + filter.append(text.substring(second))
        + filter.finish();
  }

  @Test
  void holdsBackOnlyWhatMayBecomeAStop() {
    StopStrings filter = new StopStrings(List.of("END"));
    assertEquals("text", filter.append("textE"));
    assertEquals("", filter.append("N"));
    assertEquals("ENe", filter.append("e"));
    assertFalse(filter.stopped());
    assertEquals("", filter.append("END and more"));
    assertTrue(filter.stopped());
    assertEquals("", filter.append("x") + filter.finish());
  }

  @Test
  void refusesAnEmptyStop() {
    assertThrows(IllegalArgumentException.class, () -> new StopStrings(List.of("")));
  }
}
