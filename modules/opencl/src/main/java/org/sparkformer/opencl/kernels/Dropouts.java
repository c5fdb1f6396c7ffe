package org.sparkformer.opencl.kernels;

import java.util.Map;
import org.sparkformer.opencl.Launch;
import org.sparkformer.tensor.ops.Dropout;
import org.sparkformer.tensor.ops.Dropping;

/** Tells kernels what is dropped, as {@code dropout_arguments.cl} has it. */
final class Dropouts {
  private Dropouts() {}

  /** Defines DROPOUT as 1 where an operation drops anything; it is 0 where it is not defined. */
  static void define(Map<String, Integer> macros, Dropping operation) {
    if (!operation.dropout().isNone()) {
      macros.put("DROPOUT", 1);
    }
  }

  /** Adds the arguments DROPOUT_PARAMETERS. */
  static Launch pass(Launch launch, Dropout dropout) {
    return launch
        .number(dropout.firstElement())
        .number(dropout.threshold())
        .number(dropout.scale())
        .number(dropout.seedLow())
        .number(dropout.seedHigh())
        .number(dropout.site())
        .number(dropout.step());
  }
}
