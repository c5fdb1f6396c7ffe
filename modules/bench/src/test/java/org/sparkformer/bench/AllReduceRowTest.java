package org.sparkformer.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AllReduceRowTest {
  @Test
  void relatesTheTimesToThoseOfTheCopy() {
    AllReduceRow row = row(30, 15);
    assertEquals(
        "    4           2      ring    4.000      8.000      0.79        1.05   0.75   0.75",
        row.line());
    assertEquals(AllReduceRow.HEADER.length(), row.line().length());
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "0, 20", "10, 0"})
  void hasNoRatioOfProcessorTimesThatWereNotCounted(double allReduce, double copy)
      throws Exception {
    AllReduceRow row = row(allReduce, copy);
    assertTrue(row.line().endsWith("   0.75      -"), row.line());
    JsonNode json = new ObjectMapper().readTree(new ObjectMapper().writeValueAsString(row));
    assertTrue(json.get("cpu_ratio").isNull(), json.toString());
  }

  /** Four ranks, 4 MiB, medians of 8 and 4 milliseconds. */
  private static AllReduceRow row(double allReduceCpu, double copyCpu) {
    double[] allReduce = {8, 7, 9};
    double[] copy = {4, 3.5, 4.5};
    return AllReduceRow.of(
        new AllReduceCommand.Variant(4, 2, "RING"),
        new AllReduceRank.Times(4 << 20, allReduce, copy, allReduceCpu, copyCpu));
  }
}
