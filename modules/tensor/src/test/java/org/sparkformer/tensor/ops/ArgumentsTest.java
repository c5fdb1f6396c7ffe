package org.sparkformer.tensor.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Shape;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.reference.JavaBackend;

/** Operations refuse tensors that do not fit before any backend sees them. */
class ArgumentsTest {
  private final Backend backend = new JavaBackend();
  private final Tensor two = backend.floats(2);
  private final Tensor three = backend.floats(3);
  private final Tensor matrix = backend.floats(2, 3);

  @Test
  void elementwiseOperationsWantEqualSizes() {
    refused("Copy: sizes differ: [2] and [3]", () -> new Copy(two, three));
    refused("Add: sizes differ: [2] and [3]", () -> new Add(two, three, two));
    refused("Add: sizes differ: [2] and [3]", () -> new Add(two, two, three));
  }

  @Test
  void productsWantACommonInnerExtent() {
    Tensor square = backend.floats(2, 2);
    refused(
        "do not share their inner extent", () -> MatMul.of(matrix, matrix, square, false, false));
    MatMul product = MatMul.of(matrix, matrix, square, false, true);
    assertEquals(2, product.m());
    assertEquals(2, product.n());
    assertEquals(3, product.k());
    refused("MatMul: C has shape [2, 3]", () -> MatMul.of(matrix, matrix, matrix, false, true));
    refused(
        "MatMul: bias has shape [3]",
        () ->
            new MatMul(
                matrix, matrix, square, false, true, false, three, null, false, DType.FLOAT32));
  }

  @Test
  void aSumIsKeptInFp32() {
    Tensor halves = backend.allocate(DType.BFLOAT16, Shape.of(2, 2));
    assertEquals(2, MatMul.of(matrix, matrix, halves, false, true).m());
    refused(
        "MatMul: C is added to and cannot be BFLOAT16",
        () -> MatMul.adding(matrix, matrix, halves, false, true));
  }

  @Test
  void queriesKeysAndValuesAreOfOneType() {
    Projection floats = new Projection(backend.floats(3, 4), 0, 3);
    Projection halves = new Projection(backend.allocate(DType.BFLOAT16, Shape.of(3, 4)), 0, 3);
    Attention attention = Attention.causal(1, 3, 1, 4, Dropout.NONE);
    refused(
        "queries, keys and values differ in type",
        () ->
            new AttentionForward(
                attention, floats, floats, halves, backend.floats(3, 4), backend.floats(1, 1, 3)));
  }

  @Test
  void gradientsThatBelongTogetherAreOfOneType() {
    Tensor halves = backend.allocate(DType.BFLOAT16, Shape.of(2));
    refused("dy and dx differ in type", () -> new GeluBackward(two, two, halves, null));
    refused("dy and dx differ in type", () -> new ExactGeluBackward(two, halves, two, null));
    Projection all = new Projection(backend.floats(3, 4), 0, 3);
    Tensor y = backend.floats(3, 4);
    Tensor rows = backend.floats(1, 1, 3);
    AttentionForward forward =
        new AttentionForward(Attention.causal(1, 3, 1, 4, Dropout.NONE), all, all, all, y, rows);
    Tensor rounded = backend.allocate(DType.BFLOAT16, Shape.of(3, 4));
    refused(
        "the gradients of queries, keys and values differ in type",
        () -> new AttentionBackward(forward, y, rounded, y, y, rows));
  }

  @Test
  void batchedProductsWantOneBatch() {
    Tensor a = backend.floats(4, 2, 3);
    Tensor b = backend.floats(5, 3, 2);
    refused("batch extents differ", () -> MatMul.of(a, b, backend.floats(4, 2, 2), false, false));
  }

  @Test
  void causalQueriesMustLieAmongTheKeys() {
    refused(
        "query 5 lies beyond 5 keys",
        () -> new Attention(1, 1, 4, 2, 5, 4, true, null, Dropout.NONE));
    assertEquals(0.5f, new Attention(1, 1, 4, 2, 6, 4, true, null, Dropout.NONE).scale());
  }

  @Test
  void embeddingsRefusePositionsBeyondTheContext() {
    Tensor tokens = backend.ints(1, 2);
    Tensor y = backend.floats(2, 3);
    refused(
        "positions up to 3 exceed the context of 2",
        () -> new EmbeddingForward(tokens, matrix, matrix, y, 1));
  }

  @Test
  void dropoutRefusesProbabilitiesOutOfRange() {
    for (float probability : new float[] {-0.1f, 1f, Float.NaN}) {
      refused("probability", () -> new Dropout(probability, 0, 0, 0, 0));
    }
    assertEquals(1L << 31, new Dropout(0.5f, 0, 0, 0, 0).threshold());
    assertEquals(0, Dropout.NONE.threshold());
  }

  @Test
  void blocksCoverEveryElement() {
    assertEquals(0, BlockSum.blocks(0));
    assertEquals(1, BlockSum.blocks(1));
    assertEquals(1, BlockSum.blocks(BlockSum.BLOCK));
    assertEquals(2, BlockSum.blocks(BlockSum.BLOCK + 1));
    refused("BlockSum: y has shape [2]", () -> new BlockSum(three, two, false));
  }

  private static void refused(String complaint, Executable making) {
    IllegalArgumentException error = assertThrows(IllegalArgumentException.class, making);
    assertTrue(error.getMessage().contains(complaint), error.getMessage());
  }
}
