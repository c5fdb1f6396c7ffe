package org.sparkformer.tensor.autograd;

import java.util.List;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.ColumnSum;
import org.sparkformer.tensor.ops.EmbeddingBackward;
import org.sparkformer.tensor.ops.EmbeddingForward;
import org.sparkformer.tensor.ops.Fill;

/** Rows that are looked up in tables. */
final class Embeddings {
  private final Tape tape;
  private final Backend backend;

  Embeddings(Tape tape) {
    this.tape = tape;
    this.backend = tape.backend();
  }

  Variable embedding(
      Tensor tokens, Variable tokenWeight, Variable positionWeight, int firstPosition) {
    Tensor y = backend.floats(tokens.size(), tokenWeight.value().columns());
    backend.run(
        new EmbeddingForward(
            tokens, tokenWeight.value(), positionWeight.value(), y, firstPosition));
    Variable output = Variable.intermediate(y);
    tape.record(
        List.of(output),
        List.of(),
        () ->
            backend.run(
                new EmbeddingBackward(
                    tokens, output.gradient(), tokenWeight.gradient(), positionWeight.gradient())));
    return output;
  }

  Variable gather(Tensor numbers, Variable table) {
    Tensor y = backend.floats(numbers.size(), table.value().columns());
    backend.run(new EmbeddingForward(numbers, table.value(), null, y, 0));
    Variable output = Variable.intermediate(y);
    tape.record(List.of(output), List.of(), () -> scatter(numbers, output.gradient(), table));
    return output;
  }

  private void scatter(Tensor numbers, Tensor dy, Variable table) {
    if (table.isParameter()) {
      backend.run(new EmbeddingBackward(numbers, dy, table.gradient(), null));
      return;
    }
    Tensor gradient = tape.floatsLike(table.value());
    backend.run(new Fill(gradient, 0f));
    backend.run(new EmbeddingBackward(numbers, dy, gradient, null));
    tape.contribute(table, gradient);
  }

  Variable repeated(Variable table, int rows) {
    Tensor y = backend.floats(rows, table.value().columns());
    try (Tensor zeros = backend.ints(rows)) {
      backend.write(zeros, new int[rows]);
      backend.run(new EmbeddingForward(zeros, table.value(), null, y, 0));
    }
    Variable output = Variable.intermediate(y);
    tape.record(
        List.of(output),
        List.of(),
        () -> backend.run(new ColumnSum(output.gradient(), table.gradient().view(0, y.columns()))));
    return output;
  }
}
