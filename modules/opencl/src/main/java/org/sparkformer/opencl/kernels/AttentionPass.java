package org.sparkformer.opencl.kernels;

import org.sparkformer.tensor.ops.AttentionForward;

/** The kernels of attention, by what a work-group owns. */
enum AttentionPass {
  FORWARD,
  BACKWARD_QUERY,
  BACKWARD_KEY,
  /** A head's every key, and with them its queries: instead of the two above. */
  BACKWARD_HEAD;

  /** Queries or keys, whichever the work-groups share out. */
  int owned(AttentionForward operation) {
    return switch (this) {
      case FORWARD, BACKWARD_QUERY -> operation.queries();
      case BACKWARD_KEY, BACKWARD_HEAD -> operation.keys();
    };
  }

  String kernel() {
    return switch (this) {
      case FORWARD -> "attention_forward";
      case BACKWARD_QUERY -> "attention_backward_query";
      case BACKWARD_KEY, BACKWARD_HEAD -> "attention_backward_key";
    };
  }
}
