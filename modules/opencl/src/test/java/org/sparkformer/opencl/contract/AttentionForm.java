package org.sparkformer.opencl.contract;

import java.util.Map;
import org.sparkformer.opencl.contract.AttentionVariant.Extents;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Attention;
import org.sparkformer.tensor.ops.AttentionBackward;
import org.sparkformer.tensor.ops.AttentionForward;
import org.sparkformer.tensor.ops.Dropout;
import org.sparkformer.tensor.ops.Projection;

/**
 * Where queries, keys and values lie: in one matrix as a GPT's, in three as a BERT's, in a cache.
 */
enum AttentionForm {
  PACKED("") {
    @Override
    Projection[] projections(Workspace w, AttentionVariant variant) {
      Extents e = variant.extents();
      Tensor packed = variant.input(w, "qkv", e.rows(), 3L * e.columns());
      return new Projection[] {
        new Projection(packed, 0, e.length()),
        new Projection(packed, e.columns(), e.length()),
        new Projection(packed, 2 * e.columns(), e.length())
      };
    }

    @Override
    Tensor[] gradients(Workspace w, Extents e) {
      Tensor packed = w.output("dQkv", e.rows(), 3L * e.columns());
      return new Tensor[] {packed, packed, packed};
    }
  },

  APART("of three matrices ") {
    @Override
    Projection[] projections(Workspace w, AttentionVariant variant) {
      Extents e = variant.extents();
      return new Projection[] {
        new Projection(variant.input(w, "q", e.rows(), e.columns()), 0, e.length()),
        new Projection(variant.input(w, "k", e.rows(), e.columns()), 0, e.length()),
        new Projection(variant.input(w, "v", e.rows(), e.columns()), 0, e.length())
      };
    }

    @Override
    Tensor[] gradients(Workspace w, Extents e) {
      return new Tensor[] {
        w.output("dQ", e.rows(), e.columns()),
        w.output("dK", e.rows(), e.columns()),
        w.output("dV", e.rows(), e.columns())
      };
    }
  };

  private final String label;

  AttentionForm(String label) {
    this.label = label;
  }

  abstract Projection[] projections(Workspace w, AttentionVariant variant);

  abstract Tensor[] gradients(Workspace w, Extents extents);

  OperationCase forward(AttentionVariant variant) {
    return new OperationCase(
        "AttentionForward " + label + variant,
        w -> forward(w, variant),
        variant.forwardTolerance());
  }

  private AttentionForward forward(Workspace w, AttentionVariant variant) {
    Extents e = variant.extents();
    Projection[] from = projections(w, variant);
    Tensor y = w.output("y", e.rows(), e.columns());
    Tensor logSumExp = w.output("logSumExp", e.batch(), e.heads(), e.length());
    return new AttentionForward(variant.attention(w), from[0], from[1], from[2], y, logSumExp);
  }

  OperationCase backward(AttentionVariant variant) {
    Map<String, float[]> saved = Workspace.reference(w -> forward(w, variant));
    return new OperationCase(
        "AttentionBackward " + label + variant,
        w -> backward(w, variant, saved),
        variant.backwardTolerance());
  }

  /** What finite differences check {@link #PACKED} against. */
  static Gradient gradient(AttentionVariant variant) {
    return new Gradient(
        w -> PACKED.forward(w, variant), Map.of("dQkv", "qkv"), Gradient.dot("y", "dy"));
  }

  private AttentionBackward backward(
      Workspace w, AttentionVariant variant, Map<String, float[]> saved) {
    Extents e = variant.extents();
    Projection[] from = projections(w, variant);
    Tensor y = w.given("y", saved.get("y"), e.rows(), e.columns());
    Tensor logSumExp =
        w.given("logSumExp", saved.get("logSumExp"), e.batch(), e.heads(), e.length());
    AttentionForward forward =
        new AttentionForward(variant.attention(w), from[0], from[1], from[2], y, logSumExp);
    Tensor dy = variant.input(w, "dy", e.rows(), e.columns());
    Tensor[] to = gradients(w, e);
    Tensor delta = w.output("delta", e.batch(), e.heads(), e.length());
    return new AttentionBackward(forward, dy, to[0], to[1], to[2], delta);
  }

  /** New queries at the end of a key/value cache with room to spare. */
  static OperationCase cached(int queries, int keys, DType operands) {
    Extents e = new Extents(2, keys, 2, 16, true, false);
    AttentionVariant variant = new AttentionVariant(e, Dropout.NONE, operands);
    long rows = 2L * queries;
    int room = keys + 5;
    return new OperationCase(
        "AttentionForward " + queries + " queries on a cache of " + variant,
        w ->
            new AttentionForward(
                new Attention(
                    e.batch(),
                    e.heads(),
                    e.headSize(),
                    queries,
                    keys,
                    keys - queries,
                    true,
                    null,
                    Dropout.NONE,
                    operands),
                new Projection(variant.input(w, "q", rows, e.columns()), 0, queries),
                new Projection(variant.input(w, "k", 2L * room, e.columns()), 0, room),
                new Projection(variant.input(w, "v", 2L * room, e.columns()), 0, room),
                w.output("y", rows, e.columns()),
                w.output("logSumExp", e.batch(), e.heads(), queries)),
        variant.forwardTolerance());
  }
}
