package org.sparkformer.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.TuningSpace.Tunable;
import org.sparkformer.opencl.kernels.HostArithmetic;
import org.sparkformer.tensor.DType;

/** Whatever is faster: here every candidate that computes the right thing counts as better. */
class TunerTest {
  private static final ModelShape TINY = new ModelShape("tiny", 1, 16, 32, 2, 65, true);
  private static final String FILE = "layernorm.cl";
  private static final double ANY_TIME = -1000;
  private static final double NEVER = 1;

  private final List<Tuner.Candidate> candidates = new ArrayList<>();

  private static OpenClBackend backend;
  private static TuningCases cases;

  @BeforeAll
  static void open() {
    backend = OpenClBackend.open(DeviceSelector.AUTO);
    cases = new TuningCases(backend, List.of(TINY), DType.FLOAT32);
  }

  @AfterAll
  static void close() {
    cases.close();
    backend.close();
  }

  private Tuner.Result tune(double gain, Tunable tunable) {
    return new Tuner(cases, FILE, gain, candidates::add).search(List.of(tunable));
  }

  private String objection(Tuner.Result result) {
    assertEquals(Map.of(), result.macros());
    assertEquals(1, candidates.size(), candidates::toString);
    assertFalse(candidates.get(0).better());
    return candidates.get(0).objection();
  }

  @Test
  void knowsTheFilesThatOperationsRunBy() {
    assertTrue(cases.files().containsAll(List.of(FILE, "embedding.cl")), () -> "" + cases.files());
  }

  @Test
  void whatAStepInBfloat16RunsAgreesWithItsDefinitions() {
    try (TuningCases rounded = new TuningCases(backend, List.of(TINY), DType.BFLOAT16)) {
      Set<String> files = new HashSet<>(cases.files());
      if (HostArithmetic.TILES.isAvailable()) {
        files.remove("attention.cl");
        files.addAll(List.of("attention_amx.cl", "attention_panels.cl"));
        files.remove("matmul_split.cl");
        files.add("matmul_tiles.cl");
      }
      assertEquals(files, Set.copyOf(rounded.files()));
      rounded.files().forEach(rounded::timed);
    }
  }

  @Test
  void keepsWhatComputesTheSameAndIsFaster() {
    Tuner.Result result = tune(ANY_TIME, new Tunable("ROWS", List.of(4), true));
    assertEquals(Map.of("ROWS", 4), result.macros());
    assertTrue(result.sameBits());
    assertTrue(result.speedup() > 0);
  }

  @Test
  void keepsTheBuiltInValuesWhereNothingGainsEnough() {
    Tuner.Result result = tune(NEVER, new Tunable("ROWS", List.of(4), true));
    assertEquals(Map.of(), result.macros());
    assertEquals("", candidates.get(0).objection());
    assertTrue(candidates.get(0).ratio() > 0);
  }

  @Test
  void passesOverWhatComputesSomethingElseAndSaysSo() {
    StringWriter out = new StringWriter();
    TuningProgress progress = new TuningProgress(new PrintWriter(out, true));
    // Work-items of a group are added by halves: with three of them, one is left out.
    Tuner.Result result = tune(ANY_TIME, new Tunable("ITEMS", List.of(3), false));
    String objection = objection(result);
    assertTrue(objection.contains("layer norm") && objection.contains(" not "), objection);
    candidates.forEach(progress::tried);
    progress.found(result);
    assertTrue(out.toString().contains("{ITEMS=3}"), out::toString);
    assertTrue(out.toString().contains("passed over: " + objection), out::toString);
    assertTrue(out.toString().contains("keeps its built-in values"), out::toString);
  }

  @Test
  void passesOverWhatDoesNotCompile() {
    String objection = objection(tune(ANY_TIME, new Tunable("WIDTH", List.of(5), false)));
    assertTrue(objection.contains("cannot build " + FILE), objection);
  }

  @Test
  void passesOverOtherBitsWhereTheSameArePromised() {
    String objection = objection(tune(ANY_TIME, new Tunable("ITEMS", List.of(2), true)));
    assertTrue(objection.contains("last bits"), objection);
  }

  @Test
  void takesOtherBitsWhereTheyAreAllowedAndSaysSo() {
    Tuner.Result result = tune(ANY_TIME, new Tunable("ITEMS", List.of(2), false));
    assertEquals(Map.of("ITEMS", 2), result.macros());
    assertFalse(result.sameBits());
  }
}
