package org.sparkformer.opencl.kernels;

import org.sparkformer.tensor.ops.AttentionForward;

/** The kernels of attention, by what a work-group owns. */
enum AttentionPass {
  FORWARD,
  BACKWARD_QUERY,
  BACKWARD_KEY;

  /** Queries or keys, whichever the work-groups share out. */
  int owned(AttentionForward operation) {
    return this == BACKWARD_KEY ? operation.keys() : operation.queries();
  }

  String kernel() {
    return switch (this) {
      case FORWARD -> "attention_forward";
      case BACKWARD_QUERY -> "attention_backward_query";
      case BACKWARD_KEY -> "attention_backward_key";
    };
  }
}
