package org.sparkformer.tensor.ops;

/** An operation that drops elements, and what its definition takes of its {@link Dropout}. */
public interface Dropping extends Operation {
  Dropout dropout();

  default long firstElement() {
    return dropout().firstElement();
  }

  default long threshold() {
    return dropout().threshold();
  }

  default float keepScale() {
    return dropout().scale();
  }

  default int seedLow() {
    return dropout().seedLow();
  }

  default int seedHigh() {
    return dropout().seedHigh();
  }

  default int site() {
    return dropout().site();
  }

  default int step() {
    return dropout().step();
  }
}
