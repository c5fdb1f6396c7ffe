package org.sparkformer.tensor.ops;

import org.sparkformer.tensor.Tensor;

/** Checks that operations share. */
final class Arguments {
  private Arguments() {}

  static void sameSize(String operation, Tensor a, Tensor b) {
    if (a.size() != b.size()) {
      throw new IllegalArgumentException(
          operation + ": sizes differ: " + a.shape() + " and " + b.shape());
    }
  }

  static void size(String operation, String name, Tensor tensor, long expected) {
    if (tensor != null && tensor.size() != expected) {
      throw new IllegalArgumentException(
          operation
              + ": "
              + name
              + " has shape "
              + tensor.shape()
              + ", expected "
              + expected
              + " elements");
    }
  }

  static void that(boolean holds, String operation, String complaint) {
    if (!holds) {
      throw new IllegalArgumentException(operation + ": " + complaint);
    }
  }
}
