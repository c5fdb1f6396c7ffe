package org.sparkformer.models;

import java.util.ArrayList;
import java.util.List;
import org.sparkformer.models.ParameterLayout.Parameter;
import org.sparkformer.tensor.Shape;

/**
 * Declares a transformer's parameters in the model's order: those before the blocks, those of each
 * block, those behind the blocks. From where one is declared follows when a backward pass has its
 * gradient.
 */
final class LayoutBuilder {
  private final String prefix;
  private final List<Parameter> declared = new ArrayList<>();
  private int finishingMark = LanguageModel.END_OF_PASS;

  /**
   * @param prefix of every name
   */
  LayoutBuilder(String prefix) {
    this.prefix = prefix;
  }

  /** What follows belongs to a block. */
  void block(int layer) {
    finishingMark = layer;
  }

  /** What follows is used when all blocks have run, and not before. */
  void behindBlocks() {
    finishingMark = Integer.MAX_VALUE;
  }

  void matrix(String name, int rows, int columns, double deviation) {
    add(name, Shape.of(rows, columns), deviation, 0);
  }

  void vector(String name, int size, double value) {
    add(name, Shape.of(size), 0, value);
  }

  /** Weight and bias of a layer norm. */
  void norm(String name, int width) {
    vector(name + ".weight", width, 1);
    vector(name + ".bias", width, 0);
  }

  private void add(String name, Shape shape, double deviation, double mean) {
    declared.add(new Parameter(prefix + name, shape, deviation, mean, finishingMark, 0));
  }

  ParameterLayout build() {
    return new ParameterLayout(declared);
  }
}
