package org.sparkformer.tensor.autograd;

import java.util.List;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Shape;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Attention;
import org.sparkformer.tensor.ops.AttentionBackward;
import org.sparkformer.tensor.ops.AttentionForward;
import org.sparkformer.tensor.ops.Projection;

/** Attention over queries, keys and values, packed into one tensor or not. */
final class Attentions {
  private final Tape tape;
  private final Backend backend;

  Attentions(Tape tape) {
    this.tape = tape;
    this.backend = tape.backend();
  }

  Variable selfAttention(Variable qkv, Attention attention) {
    Tensor packed = qkv.value();
    int columns = attention.columns();
    AttentionForward forward =
        attend(
            attention,
            new Projection(packed, 0, attention.keys()),
            new Projection(packed, columns, attention.keys()),
            new Projection(packed, 2 * columns, attention.keys()));
    Variable output = Variable.intermediate(forward.y()).takingRounded();
    tape.record(
        List.of(output),
        List.of(forward.logSumExp()),
        () -> {
          Tensor dPacked = tape.gradient(packed.shape());
          attendBackward(forward, output.gradient(), List.of(dPacked, dPacked, dPacked));
          tape.contribute(qkv, dPacked);
        });
    return output;
  }

  Variable attention(Variable query, Variable key, Variable value, Attention attention) {
    AttentionForward forward =
        attend(
            attention,
            new Projection(query.value(), 0, attention.queries()),
            new Projection(key.value(), 0, attention.keys()),
            new Projection(value.value(), 0, attention.keys()));
    Variable output = Variable.intermediate(forward.y()).takingRounded();
    tape.record(
        List.of(output),
        List.of(forward.logSumExp()),
        () -> {
          List<Tensor> gradients =
              List.of(
                  tape.floatsLike(query.value()),
                  tape.floatsLike(key.value()),
                  tape.floatsLike(value.value()));
          attendBackward(forward, output.gradient(), gradients);
          tape.contribute(query, gradients.get(0));
          tape.contribute(key, gradients.get(1));
          tape.contribute(value, gradients.get(2));
        });
    return output;
  }

  private AttentionForward attend(
      Attention attention, Projection query, Projection key, Projection value) {
    long rows = (long) attention.batch() * attention.queries();
    Tensor y = tape.operand(Shape.of(rows, attention.columns()));
    Tensor logSumExp = backend.floats(attention.batch(), attention.heads(), attention.queries());
    AttentionForward forward =
        new AttentionForward(attention.with(tape.operands()), query, key, value, y, logSumExp);
    backend.run(forward);
    return forward;
  }

  /** Overwrites the gradients of queries, keys and values, laid out as these. */
  private void attendBackward(AttentionForward forward, Tensor dy, List<Tensor> gradients) {
    try (Tensor delta = tape.floatsLike(forward.logSumExp())) {
      backend.run(
          new AttentionBackward(
              forward, dy, gradients.get(0), gradients.get(1), gradients.get(2), delta));
    }
  }
}
